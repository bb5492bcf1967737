//! What a bundle's models take for a job: from their configurations and the names and shapes of their tensors.
//!
//! No weight is read. The sizes are those of the type that a model computes in, not of the files.

use std::path::PathBuf;

use framepack_jobs::WorkingSizes;
use tch::{Device, Kind};

use super::{
    budget::Budget,
    decoding::{ChosenScheme, DecodeRequest, DecodeRoom},
    options::{ModelOptions, ROOMY_BYTES},
    overlap::{NoOverlap, wanted},
    recurring::recurring_bytes,
    sizes::DecodeFactors,
};
use crate::{
    bundle::Component,
    error::Error,
    job::Job,
    kernels::KernelUse,
    nn::{EncoderCost, attention::AttentionMemory},
    offload::{Memory, MemoryOptions},
    sampler::needs_negative,
    text::{
        Clip, Llama, clip, llama,
        prompt::{MAX_PROMPT_TOKENS, PADDED_TOKENS},
    },
    transformer::{
        self, PackedTransformer, Run, StepCacheRule, TransformerCost, latent_tokens, section_tokens,
    },
    vae::{self, DecodeCost, DecodeScheme, Vae},
    vision::{Siglip, siglip},
    weights::{Elements, Layout, Loading, Weights, WeightsError},
};

/// What a job's bundle and request say.
pub(super) struct Survey {
    pub(super) transformer: TransformerCost,
    pub(super) tokens: u64,
    /// What steps reuse.
    pub(super) step_cache: StepCacheRule,
    /// Llama, with CLIP beside it.
    pub(super) text: EncoderCost,
    pub(super) vision: EncoderCost,
    pub(super) vae_bytes: u64,
    pub(super) vae_kind: Kind,
    /// What the VAE takes to encode the start image, …
    pub(super) encoding_bytes: u64,
    /// … and to decode the most frames that are decoded together, …
    pub(super) decoding_bytes: u64,
    /// … with so much of each section waiting for the next one, if there is room, …
    pub(super) recurring_bytes: u64,
    /// … and beside the next section's sampling unless something speaks against it, …
    pub(super) overlap: Result<(), NoOverlap>,
    /// … by sizes that are from here, …
    pub(super) decoding_sizes: WorkingSizes,
    /// … of a section of so many latent frames, …
    pub(super) section_latent_frames: u64,
    /// … in this way, …
    pub(super) decoding: ChosenScheme,
    /// … for so much work, that of the reference's tiles being 1.
    pub(super) decoding_work: f64,
    /// Weights of other models that are on the device while the transformer samples.
    pub(super) kept_bytes: u64,
    /// Whether the encoders are among them.
    pub(super) is_roomy: bool,
}

impl Survey {
    /// Of a job that is to run on `device`, of which `factors` are known, with `budget`.
    pub(super) fn new(
        job: &Job,
        options: &ModelOptions,
        (device, factors): (Device, &DecodeFactors),
        budget: &Budget,
    ) -> Result<Self, Error> {
        let models = JobModels {
            job,
            options,
            device,
        };
        let vae_config = vae::Config::read(&models.folder(Component::Vae)?)?;
        let vae_kind = options.vae_kind(device);
        let vae_bytes = models.vae_elements(&vae_config)?.bytes(vae_kind);
        let vision_config = siglip::Config::read(&models.folder(Component::ImageEncoder)?)?;
        let (vision, text) = (models.vision(&vision_config)?, models.text()?);
        let transformer_config = transformer::Config::read(&job.transformer)?;
        let image_tokens = if transformer_config.has_image_proj {
            vision_config.patches().unsigned_abs()
        } else {
            0
        };
        let step_cache = if options.limits.relief.drops_step_cache {
            StepCacheRule::Off
        } else {
            job.sampling.step_cache
        };
        let run = run_of(job, &vae_config, (image_tokens, step_cache));
        let transformer_kind = options.transformer_kind(device);
        let attention = if let Some(known) = job.attention_memory {
            known
        } else {
            let class = transformer_config.attention_class(transformer_kind, run.tokens);
            let expected = options.expected_attention(device, job.settings.attention);
            expected.memory(device, &class)?
        };
        let run = Run {
            attention,
            kernels: options.kernels,
            ..run
        };
        let mut transformer = transformer_cost(&transformer_config, &run, transformer_kind)?;

        let encoders_bytes = text.fixed_bytes + text.layers_bytes + vision.fixed_bytes;
        let blocks_bytes: u64 = transformer.block_bytes.iter().sum();
        let all_bytes = encoders_bytes
            + vae_bytes
            + blocks_bytes
            + transformer.fixed_bytes
            + transformer.hoisted_away_bytes;
        let is_limited = options.memory.capacity_bytes.is_some();
        let is_roomy = !is_limited && is_roomy(device, budget, all_bytes);
        let kept_bytes = vae_bytes + if is_roomy { encoders_bytes } else { 0 };
        transformer.fixed_bytes += kept_bytes;
        let default = DecodeCost {
            config: &vae_config,
            kind: vae_kind,
            size_px: [job.plan.width_px.into(), job.plan.height_px.into()],
            latent_frames: decoded_latent_frames(job),
            scheme: options.space(device, budget.total_bytes).into(),
            kernels: options.kernels,
        };
        let stays_bytes = transformer.fixed_bytes + transformer.hoisted_bytes;
        let request = DecodeRequest {
            settings: job.settings.vae,
            cost: default,
            factors: *factors,
            has_forced_space: options.has_forced_space(),
            relief: options.limits.relief.chunk,
            room: device
                .is_cuda()
                .then(|| DecodeRoom::beside(stays_bytes, budget)),
        };
        let chosen = request.choose();
        let decoding = DecodeCost {
            scheme: chosen.scheme,
            ..default
        };
        // Encoding a frame is taken to need what decoding it needs.
        let encoding = DecodeCost {
            latent_frames: 1,
            scheme: DecodeScheme::default(),
            ..default
        };
        Ok(Self {
            transformer,
            tokens: run.tokens,
            step_cache,
            text,
            vision,
            vae_bytes,
            vae_kind,
            encoding_bytes: encoding.working_bytes(),
            decoding_bytes: factors.working_bytes(&decoding),
            recurring_bytes: recurring_bytes(&job.sampling.sections, &decoding),
            overlap: wanted(job, device, options.limits.relief),
            decoding_sizes: if factors.is_measured(&decoding) {
                WorkingSizes::Measured
            } else {
                WorkingSizes::Assumed
            },
            section_latent_frames: decoding.latent_frames,
            decoding: chosen,
            decoding_work: decoding.work() as f64 / default.work() as f64,
            kept_bytes,
            is_roomy,
        })
    }

    /// What an encoder takes beside the weights that are kept anyway.
    pub(super) fn unless_kept(&self, cost: &EncoderCost) -> EncoderCost {
        if !self.is_roomy {
            return *cost;
        }
        EncoderCost {
            activation_bytes: cost.activation_bytes,
            ..EncoderCost::default()
        }
    }
}

/// Whether all models stay on the device at once. On the CPU they do where they fit.
pub(super) fn is_roomy(device: Device, budget: &Budget, all_bytes: u64) -> bool {
    match device {
        Device::Cuda(_) => budget.free_bytes >= ROOMY_BYTES,
        _ => budget.free_bytes >= all_bytes,
    }
}

/// A job's models, in their folders.
struct JobModels<'a> {
    job: &'a Job,
    options: &'a ModelOptions,
    device: Device,
}

impl JobModels<'_> {
    fn folder(&self, component: Component) -> Result<PathBuf, Error> {
        Ok(self.job.bundle.component(component)?)
    }

    /// Sizes of a component's tensors: of those in its folder, or of those that are made for it.
    fn elements<M>(
        &self,
        component: Component,
        layout: &Layout,
        load: impl FnOnce(&Weights<'_>) -> Result<M, WeightsError>,
    ) -> Result<Elements, Error> {
        Ok(match self.options.synthesise {
            Some(_) => Elements::asked_for(load)?,
            None => Elements::stored(&self.folder(component)?, layout)?,
        })
    }

    fn vae_elements(&self, config: &vae::Config) -> Result<Elements, Error> {
        self.elements(Component::Vae, &Layout::DIFFUSERS, |w| Vae::load(w, config))
    }

    fn text(&self) -> Result<EncoderCost, Error> {
        let kind = self.options.encoder_kind(self.device);
        let folder = self.folder(Component::TextEncoder2)?;
        let load = |w: &Weights<'_>| Clip::load(w, &clip::Config::read(&folder)?);
        let elements = self.elements(Component::TextEncoder2, &clip::LAYOUT, load)?;
        let clip = clip::cost(&elements, kind);

        let config = llama::Config::read(&self.folder(Component::TextEncoder)?)?;
        let load = |w: &Weights<'_>| Llama::load(w, &config, &no_memory());
        let elements = self.elements(Component::TextEncoder, &llama::LAYOUT, load)?;
        let llama = llama::cost(&elements, &config, kind);
        Ok(EncoderCost {
            fixed_bytes: llama.fixed_bytes + clip.fixed_bytes,
            ..llama
        })
    }

    fn vision(&self, config: &siglip::Config) -> Result<EncoderCost, Error> {
        let load = |w: &Weights<'_>| Siglip::load(w, config, &no_memory());
        let elements = self.elements(Component::ImageEncoder, &siglip::LAYOUT, load)?;
        let kind = self.options.encoder_kind(self.device);
        Ok(siglip::cost(&elements, kind))
    }
}

/// How often the transformer runs for a job, and on how many tokens; `image_tokens`: of the start image. Steps reuse what
/// `step_cache` says.
fn run_of(
    Job { plan, sampling, .. }: &Job,
    vae: &vae::Config,
    (image_tokens, step_cache): (u64, StepCacheRule),
) -> Run {
    let context_tokens = image_tokens + MAX_PROMPT_TOKENS as u64;
    let ratio = vae.spatial_compression_ratio.unsigned_abs();
    let latent = [plan.height_px, plan.width_px].map(|px| u64::from(px) / ratio);
    let prompts = if needs_negative(&sampling.guidance) {
        2
    } else {
        1
    };
    Run {
        tokens: context_tokens + section_tokens(latent, plan.latent_window.into()),
        context_tokens,
        padded_text_tokens: PADDED_TOKENS as u64,
        latent_tokens: latent_tokens(latent, plan.latent_window.into()),
        branches: prompts,
        steps: sampling.steps.into(),
        step_cache,
        attention: AttentionMemory::Fused,
        kernels: KernelUse::default(),
    }
}

/// What a transformer of `config` takes for a run.
fn transformer_cost(
    config: &transformer::Config,
    run: &Run,
    kind: Kind,
) -> Result<TransformerCost, WeightsError> {
    let shapes = Loading::shapes();
    let weights = shapes.weights(Device::Cpu, kind);
    Ok(PackedTransformer::load(&weights, config, &no_memory())?.cost(run))
}

/// For models of names and shapes, whose weights never travel.
fn no_memory() -> Memory {
    Memory::new(Device::Cpu, MemoryOptions::default())
}

/// Most latent frames that are decoded together.
fn decoded_latent_frames(job: &Job) -> u64 {
    let sections = job.sampling.sections.sections.iter();
    let frames = sections.map(|section| section.decoded_latent_frames.unsigned_abs());
    frames.max().unwrap_or(1)
}

#[cfg(test)]
mod tests;
