//! What an encoder takes on the device.

/// Bytes of an encoder's weights in the type that it computes in, and of what it computes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncoderCost {
    /// Embedding tables, final norms: what is not one of the equally built layers.
    pub fixed_bytes: u64,
    /// All layers that are run.
    pub layers_bytes: u64,
    /// The largest layer.
    pub layer_bytes: u64,
    /// What one evaluation takes beside the weights.
    pub activation_bytes: u64,
}

impl EncoderCost {
    /// Of an encoder that is on the device as a whole or not at all.
    pub fn whole(weights_bytes: u64) -> Self {
        Self {
            fixed_bytes: weights_bytes,
            ..Self::default()
        }
    }
}
