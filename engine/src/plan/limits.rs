//! How much memory of device and host may be used.

use super::relief::Relief;
use crate::offload::DEFAULT_CHUNK_BYTES;

/// What the settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Kept free beside the weights; never less than the activations, which are the default.
    pub preserve_bytes: Option<u64>,
    /// Whether nothing is done with less kept free: the job itself asks for it. Otherwise as much is as can be.
    pub must_preserve: bool,
    /// The split, whatever would be best.
    pub forced: Option<ForcedSplit>,
    /// Most host memory to page-lock; the default is what there is less a margin.
    pub host_budget_bytes: Option<u64>,
    /// Most host memory for weights in transit; by default 256 MiB.
    pub load_chunk_bytes: Option<u64>,
    /// What is given up because memory ran out before.
    pub relief: Relief,
}

impl Limits {
    /// Page-locked host memory through which blocks without a copy there pass from the files to the device.
    pub(super) fn staging_bytes(&self) -> u64 {
        self.load_chunk_bytes.unwrap_or(DEFAULT_CHUNK_BYTES)
    }
}

/// A split that was asked for: the first blocks are resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForcedSplit {
    /// How many.
    pub resident_blocks: usize,
    /// Slots for the others.
    pub slots: usize,
}
