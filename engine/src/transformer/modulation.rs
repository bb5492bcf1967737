//! Modulation: the vectors that shift, scale and gate a block, computed from the embedding of the step.
//!
//! They take a quarter of the model's weights and depend on nothing that a step computes, so they are evaluated
//! before the sampling begins (see [`conditioner`](super::conditioner)).

use tch::Tensor;

use super::config::Config;
use crate::{
    nn::Linear,
    weights::{Weights, WeightsError},
};

/// Vectors for each of a double-stream block's streams: shift, scale and gate of the attention and of the MLP.
pub(super) const DOUBLE_VECTORS: usize = 6;
/// Vectors for a single-stream block: shift, scale and gate.
pub(super) const SINGLE_VECTORS: usize = 3;

/// The modulation layers of one block.
#[derive(Debug)]
pub(super) enum Modulation {
    Double { image: Linear, text: Linear },
    Single(Linear),
}

/// What they give for one step.
#[derive(Debug)]
pub(super) enum ModulationVectors {
    /// (1, 6·D) each
    Double { image: Tensor, text: Tensor },
    /// (1, 3·D)
    Single(Tensor),
}

impl Modulation {
    pub(super) fn load_double(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let dim = config.hidden_size();
        let load = |name| Linear::load(&w.pp(name), dim, DOUBLE_VECTORS as i64 * dim);
        Ok(Self::Double {
            image: load("norm1.linear")?,
            text: load("norm1_context.linear")?,
        })
    }

    pub(super) fn load_single(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let dim = config.hidden_size();
        Ok(Self::Single(Linear::load(
            &w.pp("norm.linear"),
            dim,
            SINGLE_VECTORS as i64 * dim,
        )?))
    }

    /// `temb`: (1, D)
    pub(super) fn forward(&self, temb: &Tensor) -> ModulationVectors {
        let temb = temb.silu();
        match self {
            Self::Double { image, text } => ModulationVectors::Double {
                image: image.forward(&temb),
                text: text.forward(&temb),
            },
            Self::Single(linear) => ModulationVectors::Single(linear.forward(&temb)),
        }
    }
}

/// (1, N·D) → `N` vectors, each (1, 1, D).
pub(super) fn vectors<const N: usize>(joined: &Tensor) -> [Tensor; N] {
    let vectors = joined.unsqueeze(1).chunk(N as i64, -1);
    vectors.try_into().expect("the layer's width is N times D")
}
