//! The pre-norm encoder layer that CLIP and SigLIP share (transformers' `CLIPEncoderLayer`).

use serde::Deserialize;
use tch::Tensor;

use super::{
    attention::{attention, causal_attention},
    linear::Linear,
    norm::LayerNorm,
};
use crate::weights::{Weights, WeightsError};

/// Which positions a position sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// All of them.
    Full,
    /// Itself and the ones before.
    Causal,
}

/// Non-linearity of the MLP, by its name in `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Activation {
    /// `x·σ(1.702·x)`
    #[serde(rename = "quick_gelu")]
    QuickGelu,
    /// `x·Φ(x)`
    #[serde(rename = "gelu")]
    Gelu,
    /// [`Self::Gelu`] by its tanh approximation.
    #[serde(rename = "gelu_pytorch_tanh")]
    GeluTanh,
}

impl Activation {
    fn forward(self, x: &Tensor) -> Tensor {
        match self {
            Self::QuickGelu => x * (x * 1.702).sigmoid(),
            Self::Gelu => x.gelu("none"),
            Self::GeluTanh => x.gelu("tanh"),
        }
    }
}

/// Sizes of one layer.
#[derive(Debug, Clone, Copy)]
pub struct EncoderLayerConfig {
    /// Width of the residual stream.
    pub hidden_size: i64,
    /// Width of the MLP.
    pub intermediate_size: i64,
    /// Attention heads.
    pub heads: i64,
    /// Epsilon of the norms.
    pub eps: f64,
    /// Non-linearity of the MLP.
    pub activation: Activation,
    /// Which positions attention sees.
    pub visibility: Visibility,
}

/// Attention and MLP, each behind a layer norm and added to its input.
#[derive(Debug)]
pub struct EncoderLayer {
    config: EncoderLayerConfig,
    layer_norm1: LayerNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    layer_norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
}

impl EncoderLayer {
    /// Loads one layer.
    pub fn load(w: &Weights<'_>, config: EncoderLayerConfig) -> Result<Self, WeightsError> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let norm = |name| LayerNorm::load(&w.pp(name), hidden, config.eps);
        let projection = |name| Linear::load(&w.pp("self_attn").pp(name), hidden, hidden);
        Ok(Self {
            config,
            layer_norm1: norm("layer_norm1")?,
            q_proj: projection("q_proj")?,
            k_proj: projection("k_proj")?,
            v_proj: projection("v_proj")?,
            out_proj: projection("out_proj")?,
            layer_norm2: norm("layer_norm2")?,
            fc1: Linear::load(&w.pp("mlp.fc1"), hidden, inner)?,
            fc2: Linear::load(&w.pp("mlp.fc2"), inner, hidden)?,
        })
    }

    /// (B, L, hidden) → same
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let x = x + self.attend(&self.layer_norm1.forward(x));
        let h = self.fc1.forward(&self.layer_norm2.forward(&x));
        x + self.fc2.forward(&self.config.activation.forward(&h))
    }

    fn attend(&self, x: &Tensor) -> Tensor {
        let heads = |linear: &Linear| {
            let y = linear.forward(x).unflatten(-1, [self.config.heads, -1]); // (B, L, H, D)
            y.transpose(1, 2) // (B, H, L, D)
        };
        let (q, k, v) = (
            heads(&self.q_proj),
            heads(&self.k_proj),
            heads(&self.v_proj),
        );
        let y = match self.config.visibility {
            Visibility::Full => attention(&q, &k, &v, None),
            Visibility::Causal => causal_attention(&q, &k, &v),
        };
        self.out_proj.forward(&y.transpose(1, 2).flatten(2, 3)) // (B, L, hidden)
    }
}
