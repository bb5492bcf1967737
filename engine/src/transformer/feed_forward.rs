//! The feed-forward of a stream of tokens (arXiv:1706.03762).

use tch::Tensor;

use super::{arithmetic::Arithmetic, profile::Part};
use crate::{
    nn::Linear,
    weights::{Weights, WeightsError},
};

/// Activation of a [`FeedForward`].
#[derive(Debug, Clone, Copy)]
pub(super) enum FeedForwardActivation {
    GeluTanh,
    Silu,
}

/// Linear → activation → Linear.
#[derive(Debug)]
pub(super) struct FeedForward {
    proj: Linear,
    out: Linear,
    activation: FeedForwardActivation,
}

impl FeedForward {
    pub(super) fn load(
        w: &Weights<'_>,
        dim: i64,
        hidden: i64,
        activation: FeedForwardActivation,
    ) -> Result<Self, WeightsError> {
        let proj = Linear::load(&w.pp("net.0.proj"), dim, hidden)?;
        Ok(Self {
            proj,
            out: Linear::load(&w.pp("net.2"), hidden, dim)?,
            activation,
        })
    }

    /// (B, L, D) → (B, L, D)
    pub(super) fn forward(&self, x: Tensor, arithmetic: Arithmetic<'_>) -> Tensor {
        let hidden = match self.activation {
            FeedForwardActivation::GeluTanh => arithmetic.gelu(&self.proj, &x),
            FeedForwardActivation::Silu => self.proj.forward(&x).silu(),
        };
        drop(x); // not needed any more, and there is less room to have
        arithmetic.time(Part::Mlp, || self.out.forward(&hidden))
    }
}
