//! What the transformer asks of the memory, known before a weight is read.

use tch::Kind;

use super::{activations::Sequence, config::Config};

/// Slots for the modulation layers while they are evaluated once.
pub(crate) const HOIST_SLOTS: usize = 2;

/// Text tokens with their padding, which only the refiner sees.
const PADDED_TEXT_TOKENS: u64 = 512;
/// Tensors as wide as the hidden size that the refiner has alive, its MLP's (four wide) among them.
const REFINER_TENSORS: u64 = 16;

/// One run of the transformer: how large its sequence is, and how often it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Tokens of latents, context, image and text together.
    pub tokens: u64,
    /// Those of image and text.
    pub context_tokens: u64,
    /// Steps of the schedule, twice as many with a negative prompt.
    pub evaluations: u64,
}

/// What a model asks for, in bytes as stored on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransformerNeeds {
    /// The blocks in the order of their use.
    pub block_bytes: Vec<u64>,
    /// Weights that are always on the device.
    pub fixed_bytes: u64,
    /// What evaluating the hoisted layers takes while it lasts. The ring's slots can serve for it.
    pub hoist_peak_bytes: u64,
    /// The tables that hoisting leaves.
    pub hoisted_bytes: u64,
    /// What one evaluation takes beside all weights, torch's cache for it included.
    pub activation_bytes: u64,
}

/// Bytes of the model's weights.
pub(super) struct WeightBytes {
    /// Of each block, in the order of their use.
    pub(super) blocks: Vec<u64>,
    /// What is always on the device.
    pub(super) fixed: u64,
    /// The part that is evaluated first when hoisting.
    pub(super) conditioner: u64,
    /// Of each modulation layer.
    pub(super) modulations: Vec<u64>,
}

impl TransformerNeeds {
    /// What a run of a model of `config` asks for.
    pub(super) fn new(config: &Config, kind: Kind, weights: WeightBytes, run: &Run) -> Self {
        let (dim, kind_bytes) = (config.hidden_size() as u64, kind.elt_size_in_bytes() as u64);
        let sequence = Sequence {
            tokens: run.tokens,
            hidden_size: dim,
            mlp_size: config.mlp_size() as u64,
            head_dim: config.attention_head_dim as u64,
            kind_bytes,
        };
        let [double, single] =
            [config.num_layers, config.num_single_layers].map(|blocks| blocks as u64);
        let modulation = double * 12 * dim + single * 3 * dim + 2 * dim;
        let hoisted_bytes = run.evaluations * kind_bytes * (run.context_tokens * dim + modulation);
        Self {
            hoist_peak_bytes: weights.hoist_peak_bytes(dim * kind_bytes),
            block_bytes: weights.blocks,
            fixed_bytes: weights.fixed,
            hoisted_bytes,
            activation_bytes: sequence.working_bytes(),
        }
    }
}

impl WeightBytes {
    /// The refiner with its activations, or the slots of the modulation layers.
    fn hoist_peak_bytes(&self, row_bytes: u64) -> u64 {
        let refiner = REFINER_TENSORS * PADDED_TEXT_TOKENS * row_bytes;
        let modulation = self.modulations.iter().copied().max();
        (self.conditioner + refiner).max(HOIST_SLOTS as u64 * modulation.unwrap_or(0))
    }
}
