//! The transformer as the sampler sees it: from noisy latents and a noise level to a prediction of x0.
//!
//! Upstream: `fm_wrapper` of FramePack. What the transformer gets is rounded to its own type first, and x0 is
//! computed from the rounded x: the published sampler does, and its results depend on it.

use framepack_jobs::Guidance;
use tch::{Kind, Tensor};

use super::guidance::guide;
use crate::transformer::{
    Conditioning, Context, PackedTransformer, StepEmbeddings, StepInputs, TransformerInputs,
};

/// When the part of the model that does not see the latents is evaluated. The results are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hoisting {
    /// Once for all steps, before the first of them; then its weights leave the device.
    #[default]
    On,
    /// At each step; its weights stay.
    Off,
}

/// The prompts and the start image.
#[derive(Debug, Clone, Copy)]
pub struct Prompts<'a> {
    /// The prompt.
    pub positive: &'a Conditioning,
    /// The negative prompt, if the guidance needs it.
    pub negative: Option<&'a Conditioning>,
}

/// The embeddings of a whole schedule, or what they are made from.
#[derive(Debug)]
pub enum ScheduleEmbeddings<'a> {
    /// For each sigma: with the prompt, and with the negative prompt.
    Hoisted(Vec<GuidedStep>),
    /// Evaluated at each step.
    EachStep(Prompts<'a>),
}

/// The embeddings of one step.
#[derive(Debug)]
pub struct GuidedStep {
    sigma: f32,
    positive: StepEmbeddings,
    negative: Option<StepEmbeddings>,
}

/// A transformer with the settings that stay the same over a job.
#[derive(Debug, Clone, Copy)]
pub struct Sampled<'a> {
    /// The model.
    pub transformer: &'a PackedTransformer,
    /// Type of the model, to which its inputs are rounded.
    pub kind: Kind,
    /// Guidance scales.
    pub guidance: Guidance,
}

/// A transformer with everything that stays the same over the steps of a section.
#[derive(Debug, Clone, Copy)]
pub struct Denoiser<'a> {
    /// The model and its settings.
    pub model: Sampled<'a>,
    /// Text, image, and the noise levels.
    pub embeddings: &'a ScheduleEmbeddings<'a>,
    /// The frames around the section.
    pub context: &'a Context,
}

impl Sampled<'_> {
    /// The embeddings of all steps of a schedule; its last sigma, 0, is no step.
    pub fn embeddings<'p>(
        &self,
        sigmas: &[f32],
        prompts: Prompts<'p>,
        hoisting: Hoisting,
    ) -> ScheduleEmbeddings<'p> {
        match hoisting {
            Hoisting::Off => ScheduleEmbeddings::EachStep(prompts),
            Hoisting::On => self.hoisted(sigmas, prompts),
        }
    }

    /// The same, evaluated now.
    pub(super) fn hoisted(
        &self,
        sigmas: &[f32],
        prompts: Prompts<'_>,
    ) -> ScheduleEmbeddings<'static> {
        let sigmas = &sigmas[..sigmas.len() - 1];
        let embed = |conditioning: &Conditioning| {
            let inputs = sigmas
                .iter()
                .map(|sigma| self.scalars(*sigma, conditioning));
            let inputs: Vec<_> = inputs.collect();
            let steps: Vec<_> = inputs.iter().map(Scalars::step_inputs).collect();
            self.transformer.hoist(&steps, conditioning)
        };
        let positive = embed(prompts.positive);
        let negative = prompts.negative.map(embed);
        let mut negative = negative.into_iter().flatten();
        let steps = sigmas.iter().zip(positive);
        let steps = steps.map(|(&sigma, positive)| GuidedStep {
            sigma,
            positive,
            negative: negative.next(),
        });
        ScheduleEmbeddings::Hoisted(steps.collect())
    }

    fn embed(&self, sigma: f32, conditioning: &Conditioning) -> StepEmbeddings {
        let scalars = self.scalars(sigma, conditioning);
        let steps = self
            .transformer
            .embed(&[scalars.step_inputs()], conditioning);
        let one = steps.into_iter().next();
        one.expect("one input gives one step")
    }

    fn scalars(&self, sigma: f32, conditioning: &Conditioning) -> Scalars {
        let device = conditioning.pooled_projections.device();
        let scalar = |value| rounded(&Tensor::from_slice(&[value]), self.kind).to_device(device);
        Scalars {
            timestep: scalar(sigma * 1000.),
            guidance: scalar((self.guidance.distilled * 1000.) as f32),
        }
    }
}

/// Timestep and guidance as the model takes them, (1) each.
struct Scalars {
    timestep: Tensor,
    guidance: Tensor,
}

impl Scalars {
    fn step_inputs(&self) -> StepInputs<'_> {
        StepInputs {
            timestep: &self.timestep,
            guidance: Some(&self.guidance),
        }
    }
}

impl Denoiser<'_> {
    /// x0 from `x`, (1, C, T, h, w) f32, at a noise level of the schedule.
    pub fn denoise(&self, x: &Tensor, sigma: f32) -> Tensor {
        let x = rounded(x, self.model.kind);
        let velocity = match self.embeddings {
            ScheduleEmbeddings::Hoisted(steps) => {
                let is_this = |step: &&GuidedStep| step.sigma.to_bits() == sigma.to_bits();
                let step = steps.iter().find(is_this);
                let step = step.expect("all sigmas of the schedule were hoisted");
                self.velocity(&x, &step.positive, step.negative.as_ref())
            }
            ScheduleEmbeddings::EachStep(Prompts { positive, negative }) => {
                let positive = self.model.embed(sigma, positive);
                let negative = negative.map(|negative| self.model.embed(sigma, negative));
                self.velocity(&x, &positive, negative.as_ref())
            }
        };
        x - velocity * f64::from(sigma)
    }

    fn velocity(
        &self,
        x: &Tensor,
        positive: &StepEmbeddings,
        negative: Option<&StepEmbeddings>,
    ) -> Tensor {
        let evaluate = |embeddings| {
            self.model.transformer.forward(&TransformerInputs {
                hidden_states: x,
                embeddings,
                context: self.context,
            })
        };
        let positive = evaluate(positive);
        match negative {
            None => positive,
            Some(negative) => guide(&self.model.guidance, &positive, &evaluate(negative)),
        }
    }
}

/// `x` with the precision of `kind`, in f32.
fn rounded(x: &Tensor, kind: Kind) -> Tensor {
    x.to_kind(kind).to_kind(Kind::Float)
}
