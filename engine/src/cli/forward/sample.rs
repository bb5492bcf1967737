//! `forward sample`: one section from noise to latents, FramePack's `sample_hunyuan` on prepared inputs.

use std::{convert::Infallible, ops::ControlFlow};

use framepack_engine::{
    models::hoist_schedule,
    nn::attention::Backend,
    sampler::{
        Denoiser, Guided, Sampled, ScheduleConditioning, Shift, needs_negative, sigmas, unipc,
    },
    transformer::{
        CachedSection, Conditioning, Config, PackedTransformer, ScheduleSteps, StepCache,
        section_tokens,
    },
    weights::ModelSource,
};
use framepack_jobs::Guidance;
use tch::{Kind, Tensor};

use super::{
    component::Common,
    transformer::{conditioning, context},
};
use crate::cli::{
    options::Attention,
    split::{Hoist, SplitOptions, Switch},
    step_cache_flags::{StepCacheFlags, TraceFlag},
    tensors::{Inputs, Outputs},
};

/// Pixels of the video along a side of a latent: the published VAE's `spatial_compression_ratio`.
const LATENT_SIDE_PX: i64 = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    split: SplitOptions,
    #[command(flatten)]
    hoist: Hoist,
    #[command(flatten)]
    attention: Attention,
    /// Denoising steps
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Distilled guidance scale
    #[arg(long, default_value_t = 10.0)]
    guidance_scale: f64,
    /// Time shift of the schedule, above 0 [default: computed from the number of latent tokens]
    #[arg(long, allow_negative_numbers = true, value_parser = above_zero)]
    shift: Option<f64>,
    /// Real (classifier-free) guidance scale; needs the `negative_` inputs unless it is 1
    #[arg(long, default_value_t = 1.0)]
    cfg_scale: f64,
    /// Rescaling of the real guidance, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    rescale: f64,
    #[command(flatten)]
    step_cache: StepCacheFlags,
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
        let guidance = Guidance {
            distilled: self.guidance_scale,
            cfg: self.cfg_scale,
            rescale: self.rescale,
        };
        let positive = conditioning(inputs)?;
        let negative = needs_negative(&guidance)
            .then(|| negative(inputs, &positive))
            .transpose()?;
        let context = context(inputs)?;
        inputs.finish()?;

        let attention = self.backend(model, inputs, &noise.size())?;
        let shift = self
            .shift
            .map_or_else(|| Shift::of(&noise.size()), Shift::Factor);
        let sigmas = sigmas(self.steps, shift);
        let transformer =
            PackedTransformer::open(model, &self.split.memory(inputs.device()), inputs.kind())?;
        self.split.place(transformer.blocks())?;
        let model = Sampled {
            transformer: &transformer,
            kind: inputs.kind(),
            guidance,
        };
        let conditioning = Guided {
            positive: &positive,
            negative: negative.as_ref(),
        };
        let schedule = match self.hoist.switch() {
            Switch::On => {
                ScheduleConditioning::Hoisted(hoist_schedule(&model, &sigmas, conditioning))
            }
            Switch::Off => ScheduleConditioning::EachStep(conditioning),
        };
        let caches = self.caches(&noise.size(), negative.is_some());
        let mut denoiser = Denoiser::new(model, &schedule, &context, attention, caches);
        let denoise = |x: &Tensor, sigma| denoiser.denoise(x, sigma);
        let ControlFlow::Continue(latents) = unipc(&noise, &sigmas, denoise, |_, _| {
            ControlFlow::<Infallible>::Continue(())
        });
        self.trace.write(denoiser.caches(), self.steps as usize)?;
        Ok(vec![("latents", latents)])
    }

    /// New step caches for latents of `size`, (1, C, T, h, w).
    fn caches(&self, size: &[i64], is_guided: bool) -> Guided<StepCache> {
        let rule = self.step_cache.rule();
        let section = CachedSection {
            steps: ScheduleSteps {
                total: self.steps as usize,
                made: 0,
            },
            size_px: [size[3], size[4]].map(|side| (side * LATENT_SIDE_PX) as u32),
            table: self.step_cache.table(),
            branches: if is_guided { 2 } else { 1 },
        };
        let cache = || StepCache::new(&rule, &section);
        Guided {
            positive: cache(),
            negative: is_guided.then(cache),
        }
    }

    /// What computes the attention for latents of `size`, (1, C, T, h, w).
    fn backend(
        &self,
        model: &ModelSource,
        inputs: &Inputs,
        size: &[i64],
    ) -> anyhow::Result<Backend> {
        let [window, height, width] = [size[2], size[3], size[4]].map(|n| n as u64);
        let tokens = section_tokens([height, width], window);
        let class = Config::read(model.config_dir())?.attention_class(inputs.kind(), tokens);
        Ok(self.attention.resolve(inputs.device(), &class)?.backend)
    }
}

fn above_zero(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0. && f64::is_finite(number) => Ok(number),
        _ => Err("not a number above 0".into()),
    }
}

/// Text arguments of the negative prompt, with the image of the positive one.
fn negative(inputs: &Inputs, positive: &Conditioning) -> anyhow::Result<Conditioning> {
    Ok(Conditioning {
        encoder_hidden_states: inputs.float("negative_encoder_hidden_states")?,
        encoder_attention_mask: inputs.mask_or_none("negative_encoder_attention_mask"),
        pooled_projections: inputs.float("negative_pooled_projections")?,
        image_embeddings: positive
            .image_embeddings
            .as_ref()
            .map(Tensor::shallow_clone),
    })
}
