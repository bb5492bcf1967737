//! `forward sample`: one section from noise to latents, FramePack's `sample_hunyuan` on prepared inputs.

use framepack_engine::{sampler::Guided, weights::ModelSource};
use tch::Kind;

use super::{
    component::Common,
    sampling::SamplingFlags,
    transformer::{conditioning, context},
};
use crate::cli::{
    step_cache_flags::TraceFlag,
    tensors::{Inputs, Outputs},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    sampling: SamplingFlags,
    #[command(flatten)]
    trace: TraceFlag,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        self.common
            .run(Kind::BFloat16, |model, inputs| self.forward(model, inputs))
    }

    fn forward(&self, model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
        let noise = inputs.exact("noise")?;
        let positive = conditioning(inputs)?;
        let negative = self.sampling.negative(inputs, &positive)?;
        let context = context(inputs)?;
        inputs.finish()?;

        let sampler = self.sampling.open(model, inputs, &noise.size())?;
        let schedule = sampler.schedule(Guided {
            positive: &positive,
            negative: negative.as_ref(),
        });
        let (latents, caches) = sampler.section(&noise, &schedule, &context);
        let steps = self.sampling.steps as usize;
        self.trace.write(caches.as_ref(), steps)?;
        Ok(vec![("latents", latents)])
    }
}
