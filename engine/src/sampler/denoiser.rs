//! The transformer as the sampler sees it: from noisy latents and a noise level to a prediction of x0.
//!
//! Upstream: `fm_wrapper` of FramePack. What the transformer gets is rounded to its own type first, and x0 is
//! computed from the rounded x: the published sampler does, and its results depend on it.

use framepack_jobs::Guidance;
use tch::{Kind, Tensor};

use super::guidance::guide;
use crate::transformer::{Conditioning, Context, PackedTransformer, TransformerInputs};

/// A transformer with everything that stays the same over the steps of a section.
#[derive(Debug)]
pub struct Denoiser<'a> {
    /// The model.
    pub transformer: &'a PackedTransformer,
    /// Type of the model, to which its inputs are rounded.
    pub kind: Kind,
    /// The prompt and the start image.
    pub positive: &'a Conditioning,
    /// The negative prompt and the start image, if the guidance needs them.
    pub negative: Option<&'a Conditioning>,
    /// The frames around the section.
    pub context: &'a Context,
    /// Guidance scales.
    pub guidance: Guidance,
}

impl Denoiser<'_> {
    /// x0 from `x`, (1, C, T, h, w) f32, at noise level `sigma`.
    pub fn denoise(&self, x: &Tensor, sigma: f32) -> Tensor {
        let x = self.rounded(x);
        let positive = self.velocity(&x, sigma, self.positive);
        let velocity = match self.negative {
            None => positive,
            Some(negative) => {
                let negative = self.velocity(&x, sigma, negative);
                guide(&self.guidance, &positive, &negative)
            }
        };
        x - velocity * f64::from(sigma)
    }

    fn velocity(&self, x: &Tensor, sigma: f32, conditioning: &Conditioning) -> Tensor {
        let scalar = |value: f32| {
            self.rounded(&Tensor::from_slice(&[value]))
                .to_device(x.device())
        };
        self.transformer.forward(&TransformerInputs {
            hidden_states: x,
            timestep: &scalar(sigma * 1000.),
            guidance: Some(&scalar((self.guidance.distilled * 1000.) as f32)),
            conditioning,
            context: self.context,
        })
    }

    fn rounded(&self, x: &Tensor) -> Tensor {
        x.to_kind(self.kind).to_kind(Kind::Float)
    }
}
