//! Embeddings of what is not a latent: timestep, guidance, pooled text, image states.

use tch::{Kind, Tensor};

use crate::{
    nn::Linear,
    weights::{Weights, WeightsError},
};

/// Channels of the sinusoidal embedding.
const TIME_CHANNELS: i64 = 256;

/// Sinusoidal embedding of a scalar (diffusers' `Timesteps` with `flip_sin_to_cos`): 128 frequencies from
/// 1 down to 1/10000, cosines first. `t`: (B) of any type → (B, 256) f32.
fn sinusoidal(t: &Tensor) -> Tensor {
    let half = TIME_CHANNELS / 2;
    let exponent =
        Tensor::arange(half, (Kind::Float, t.device())) * -(10_000_f64.ln()) / half as f64;
    let angles = t.to_kind(Kind::Float).unsqueeze(-1) * exponent.exp(); // (B, 128)
    Tensor::cat(&[angles.cos(), angles.sin()], -1)
}

/// Linear → SiLU → Linear (diffusers' `TimestepEmbedding`, `PixArtAlphaTextProjection`).
#[derive(Debug)]
struct Mlp {
    linear_1: Linear,
    linear_2: Linear,
}

impl Mlp {
    fn load(w: &Weights<'_>, in_features: i64, hidden_size: i64) -> Result<Self, WeightsError> {
        Ok(Self {
            linear_1: Linear::load(&w.pp("linear_1"), in_features, hidden_size)?,
            linear_2: Linear::load(&w.pp("linear_2"), hidden_size, hidden_size)?,
        })
    }

    /// (B, in) → (B, D)
    fn forward(&self, x: &Tensor) -> Tensor {
        self.linear_2.forward(&self.linear_1.forward(x).silu())
    }
}

/// Sum of the embeddings of timestep, guidance (where there is one) and a text vector: what modulates the
/// blocks.
#[derive(Debug)]
pub(super) struct TimeTextEmbedding {
    timestep: Mlp,
    guidance: Option<Mlp>,
    text: Mlp,
}

impl TimeTextEmbedding {
    /// Without guidance.
    pub(super) fn load(
        w: &Weights<'_>,
        text_dim: i64,
        hidden_size: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            timestep: Mlp::load(&w.pp("timestep_embedder"), TIME_CHANNELS, hidden_size)?,
            guidance: None,
            text: Mlp::load(&w.pp("text_embedder"), text_dim, hidden_size)?,
        })
    }

    /// With guidance.
    pub(super) fn load_guided(
        w: &Weights<'_>,
        text_dim: i64,
        hidden_size: i64,
    ) -> Result<Self, WeightsError> {
        let guidance = Mlp::load(&w.pp("guidance_embedder"), TIME_CHANNELS, hidden_size)?;
        Ok(Self {
            guidance: Some(guidance),
            ..Self::load(w, text_dim, hidden_size)?
        })
    }

    /// `timestep`, `guidance`: (B), sigma × 1000 and scale × 1000; `text`: (B, `text_dim`) → (B, D).
    pub(super) fn forward(
        &self,
        timestep: &Tensor,
        guidance: Option<&Tensor>,
        text: &Tensor,
    ) -> Tensor {
        let project = |t| sinusoidal(t).to_kind(text.kind());
        let mut sum = self.timestep.forward(&project(timestep));
        if let Some((embedder, guidance)) = self.guidance.as_ref().zip(guidance) {
            sum += embedder.forward(&project(guidance));
        }
        sum + self.text.forward(text)
    }
}

/// SigLIP states to context tokens (FramePack's `ClipVisionProjection`).
#[derive(Debug)]
pub(super) struct ImageProjection {
    up: Linear,
    down: Linear,
}

impl ImageProjection {
    pub(super) fn load(
        w: &Weights<'_>,
        image_dim: i64,
        hidden_size: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            up: Linear::load(&w.pp("up"), image_dim, 3 * hidden_size)?,
            down: Linear::load(&w.pp("down"), 3 * hidden_size, hidden_size)?,
        })
    }

    /// (B, N, `image_dim`) → (B, N, D)
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        self.down.forward(&self.up.forward(x).silu())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinusoids_start_with_the_cosine_of_the_number_itself() {
        let e = sinusoidal(&Tensor::from_slice(&[9984.0_f32]));
        assert_eq!(e.size(), [1, 256]);
        let at = |i| e.double_value(&[0, i]);
        assert!((at(0) - 9984_f64.cos()).abs() < 1e-4, "{}", at(0));
        assert!((at(128) - 9984_f64.sin()).abs() < 1e-4, "{}", at(128));
        let slowest = 9984.0 * (-(10_000_f64.ln()) * 127.0 / 128.0).exp();
        assert!((at(127) - slowest.cos()).abs() < 1e-5, "{}", at(127));
    }
}
