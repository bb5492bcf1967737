//! How sections are sampled by hand: the flags of `forward sample` and `forward video`, and the model that they open.

use std::{convert::Infallible, ops::ControlFlow};

use framepack_engine::{
    models::hoist_schedule,
    nn::attention::Backend,
    sampler::{
        Denoiser, Guided, Sampled, ScheduleConditioning, Shift, needs_negative, sigmas, unipc,
    },
    transformer::{
        CachedSection, Conditioning, Config, Context, PackedTransformer, ScheduleSteps, StepCache,
        section_tokens,
    },
    weights::ModelSource,
};
use framepack_jobs::Guidance;
use tch::{Kind, Tensor};

use crate::cli::{
    options::{Attention, ModelKernels},
    split::{Hoist, SplitOptions, Switch},
    step_cache_flags::StepCacheFlags,
    tensors::Inputs,
};

/// Pixels of the video along a side of a latent: the published VAE's `spatial_compression_ratio`.
const LATENT_SIDE_PX: i64 = 8;

#[derive(Debug, clap::Args)]
pub(super) struct SamplingFlags {
    #[command(flatten)]
    split: SplitOptions,
    #[command(flatten)]
    hoist: Hoist,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    kernels: ModelKernels,
    /// Denoising steps of a section
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) steps: u32,
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
}

/// An opened transformer with what all sections are sampled with.
pub(super) struct Sampler<'a> {
    flags: &'a SamplingFlags,
    transformer: PackedTransformer,
    attention: Backend,
    kind: Kind,
    sigmas: Vec<f32>,
    /// Of a section's latents, (1, C, T, h, w).
    size: Vec<i64>,
}

impl SamplingFlags {
    /// Guidance scales.
    pub(super) fn guidance(&self) -> Guidance {
        Guidance {
            distilled: self.guidance_scale,
            cfg: self.cfg_scale,
            rescale: self.rescale,
        }
    }

    /// Opens the transformer for sections of latents of `size`, (1, C, T, h, w).
    pub(super) fn open(
        &self,
        model: &ModelSource,
        inputs: &Inputs,
        size: &[i64],
    ) -> anyhow::Result<Sampler<'_>> {
        let attention = self.backend(model, inputs, size)?;
        let shift = self.shift.map_or_else(|| Shift::of(size), Shift::Factor);
        let transformer =
            PackedTransformer::open(model, &self.split.memory(inputs.device()), inputs.kind())?;
        let transformer = self.kernels.transformer(transformer, inputs.device());
        self.split.place(transformer.blocks())?;
        Ok(Sampler {
            flags: self,
            transformer,
            attention,
            kind: inputs.kind(),
            sigmas: sigmas(self.steps, shift),
            size: size.to_vec(),
        })
    }

    /// Text arguments of the negative prompt, if the guidance needs them, with the image of the positive one.
    pub(super) fn negative(
        &self,
        inputs: &Inputs,
        positive: &Conditioning,
    ) -> anyhow::Result<Option<Conditioning>> {
        if !needs_negative(&self.guidance()) {
            return Ok(None);
        }
        Ok(Some(Conditioning {
            encoder_hidden_states: inputs.float("negative_encoder_hidden_states")?,
            encoder_attention_mask: inputs.mask_or_none("negative_encoder_attention_mask"),
            pooled_projections: inputs.float("negative_pooled_projections")?,
            image_embeddings: positive
                .image_embeddings
                .as_ref()
                .map(Tensor::shallow_clone),
        }))
    }

    /// What computes the attention.
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

impl Sampler<'_> {
    /// What depends on the noise levels and the conditioning only.
    pub(super) fn schedule<'c>(
        &self,
        conditioning: Guided<&'c Conditioning>,
    ) -> ScheduleConditioning<'c> {
        match self.flags.hoist.switch() {
            Switch::On => ScheduleConditioning::Hoisted(hoist_schedule(
                &self.model(),
                &self.sigmas,
                conditioning,
            )),
            Switch::Off => ScheduleConditioning::EachStep(conditioning),
        }
    }

    /// Latents of one section, f32 of the noise's shape, and the caches that decided what was computed.
    pub(super) fn section(
        &self,
        noise: &Tensor,
        schedule: &ScheduleConditioning<'_>,
        context: &Context,
    ) -> (Tensor, Guided<StepCache>) {
        let caches = self.caches();
        let mut denoiser = Denoiser::new(self.model(), schedule, context, self.attention, caches);
        let denoise = |x: &Tensor, sigma| denoiser.denoise(x, sigma);
        let ControlFlow::Continue(latents) = unipc(noise, &self.sigmas, denoise, |_, _| {
            ControlFlow::<Infallible>::Continue(())
        });
        (latents, denoiser.into_caches())
    }

    fn model(&self) -> Sampled<'_> {
        Sampled {
            transformer: &self.transformer,
            kind: self.kind,
            guidance: self.flags.guidance(),
        }
    }

    /// New step caches for a section.
    fn caches(&self) -> Guided<StepCache> {
        let is_guided = needs_negative(&self.flags.guidance());
        let rule = self.flags.step_cache.rule();
        let section = CachedSection {
            steps: ScheduleSteps {
                total: self.flags.steps as usize,
                made: 0,
            },
            size_px: [self.size[3], self.size[4]].map(|side| (side * LATENT_SIDE_PX) as u32),
            table: self.flags.step_cache.table(),
            branches: if is_guided { 2 } else { 1 },
        };
        let cache = || StepCache::new(&rule, &section);
        Guided {
            positive: cache(),
            negative: is_guided.then(cache),
        }
    }
}

fn above_zero(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0. && f64::is_finite(number) => Ok(number),
        _ => Err("not a number above 0".into()),
    }
}
