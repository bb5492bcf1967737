//! What the transformer asks of the memory, known before a weight is read.

use super::PackedTransformer;
use crate::memory::{activations::Sequence, plan::TransformerNeeds};

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

impl PackedTransformer {
    /// What a run asks for.
    pub fn needs(&self, run: &Run) -> TransformerNeeds {
        let (dim, kind_bytes) = (
            self.config.hidden_size() as u64,
            self.kind.elt_size_in_bytes() as u64,
        );
        let sequence = Sequence {
            tokens: run.tokens,
            hidden_size: dim,
            mlp_size: self.config.mlp_size() as u64,
            head_dim: self.config.attention_head_dim as u64,
            kind_bytes,
        };
        let [double, single] =
            [self.config.num_layers, self.config.num_single_layers].map(|blocks| blocks as u64);
        let modulation = double * 12 * dim + single * 3 * dim + 2 * dim;
        let hoisted_bytes = run.evaluations * kind_bytes * (run.context_tokens * dim + modulation);
        TransformerNeeds {
            block_bytes: self.blocks.block_bytes(),
            fixed_bytes: self.packing.bytes() + self.proj_out.bytes(),
            hoist_peak_bytes: self.hoist_peak_bytes(dim * kind_bytes),
            hoisted_bytes,
            activation_bytes: sequence.working_bytes(),
        }
    }

    /// Weights that leave the device once they are evaluated.
    pub fn hoisted_away_bytes(&self) -> u64 {
        let both = [
            self.conditioner.block_bytes(),
            self.modulations.block_bytes(),
        ];
        both.iter().flatten().sum()
    }

    /// The refiner with its activations, or the slots of the modulation layers.
    fn hoist_peak_bytes(&self, row_bytes: u64) -> u64 {
        let conditioner: u64 = self.conditioner.block_bytes().iter().sum();
        let refiner = REFINER_TENSORS * PADDED_TEXT_TOKENS * row_bytes;
        let modulation = self.modulations.block_bytes().into_iter().max();
        (conditioner + refiner).max(super::HOIST_SLOTS as u64 * modulation.unwrap_or(0))
    }
}
