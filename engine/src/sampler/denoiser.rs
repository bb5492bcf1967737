//! The transformer as the sampler sees it: from noisy latents and a noise level to a prediction of x0.
//!
//! Upstream: `fm_wrapper` of FramePack. What the transformer gets is rounded to its own type first, and x0 is
//! computed from the rounded x: the published sampler does, and its results depend on it.

use framepack_jobs::Guidance;
use tch::{Kind, Tensor};

use super::{
    guidance::{Guided, guide},
    schedule::ScheduleConditioning,
};
use crate::{
    nn::attention::Backend,
    transformer::{
        Conditioning, Context, PackedContext, PackedTransformer, StepCache, StepConditioning,
        StepInputs, TransformerInputs, Unmodulated,
    },
};

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

/// A transformer with everything that stays the same over the steps of a section, and what it remembers of them.
#[derive(Debug)]
pub struct Denoiser<'a> {
    model: Sampled<'a>,
    schedule: &'a ScheduleConditioning<'a>,
    context: &'a Context,
    /// The same as the first step has packed it.
    packed: Option<PackedContext>,
    attention: Backend,
    caches: Guided<StepCache>,
}

impl Sampled<'_> {
    /// Evaluates the first part of what does not see the latents at each noise level of a branch.
    pub fn condition(&self, sigmas: &[f32], conditioning: &Conditioning) -> Vec<Unmodulated> {
        let scalars = sigmas
            .iter()
            .map(|sigma| self.scalars(*sigma, conditioning));
        let scalars: Vec<_> = scalars.collect();
        let steps: Vec<_> = scalars.iter().map(Scalars::step_inputs).collect();
        self.transformer.condition(&steps, conditioning)
    }

    fn step(&self, sigma: f32, conditioning: &Conditioning) -> StepConditioning {
        let steps = self
            .transformer
            .modulate(self.condition(&[sigma], conditioning));
        let one = steps.into_iter().next();
        one.expect("one noise level gives one step")
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

impl<'a> Denoiser<'a> {
    /// At the noise levels of `schedule`, with the frames around the section; `attention` computes that of the blocks.
    /// Each branch has a cache of its own in `caches`.
    pub fn new(
        model: Sampled<'a>,
        schedule: &'a ScheduleConditioning<'a>,
        context: &'a Context,
        attention: Backend,
        caches: Guided<StepCache>,
    ) -> Self {
        Self {
            model,
            schedule,
            context,
            packed: None,
            attention,
            caches,
        }
    }

    /// The step cache of each branch, and with it what was decided at each step.
    pub fn caches(&self) -> Guided<&StepCache> {
        self.caches.as_ref()
    }

    /// The same when the section is over.
    pub fn into_caches(self) -> Guided<StepCache> {
        self.caches
    }

    /// x0 from `x`, (1, C, T, h, w) f32, at a noise level of the schedule.
    pub fn denoise(&mut self, x: &Tensor, sigma: f32) -> Tensor {
        let x = rounded(x, self.model.kind);
        let velocity = match self.schedule {
            ScheduleConditioning::Hoisted(steps) => self.velocity(&x, steps.at(sigma)),
            ScheduleConditioning::EachStep(conditioning) => {
                let step = conditioning.map(|branch| self.model.step(sigma, branch));
                self.velocity(&x, &step)
            }
        };
        x - velocity * f64::from(sigma)
    }

    fn velocity(&mut self, x: &Tensor, step: &Guided<StepConditioning>) -> Tensor {
        let transformer = self.model.transformer;
        let pack = || transformer.pack(self.context, &x.size());
        let context = self.packed.get_or_insert_with(pack);
        let evaluate = |(conditioning, cache): (&StepConditioning, &mut StepCache)| {
            let inputs = TransformerInputs {
                hidden_states: x,
                conditioning,
                context,
                attention: self.attention,
                profile: None,
            };
            transformer.forward(&inputs, cache)
        };
        let velocity = step.as_ref().zip(self.caches.as_mut()).map(evaluate);
        match velocity.negative {
            None => velocity.positive,
            Some(negative) => guide(&self.model.guidance, &velocity.positive, &negative),
        }
    }
}

/// `x` with the precision of `kind`, in f32.
fn rounded(x: &Tensor, kind: Kind) -> Tensor {
    x.to_kind(kind).to_kind(Kind::Float)
}
