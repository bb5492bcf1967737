//! A job's memory, from its request: what the daemon can ask for before the job, and what its report says.

use std::path::Path;

use framepack_ipc::worker::{MemoryPlan, Precaution, RenderRequest};
use framepack_jobs::{Bytes, DeviceMemory, TransformerMemory, VaeTiles};
use tch::{Device, Kind};

use super::{
    available::AvailableMemory,
    phases::{Decoding, EncoderNeeds},
    placement::{Placed, Placement},
    probe,
    split::Plan,
    survey::{
        Counted, Elements, Survey, configured_elements, llama_needs, read_elements,
        transformer_needs, whole,
    },
};
use crate::{
    bundle::Component,
    device,
    error::Error,
    job::Job,
    ladder,
    options::{ModelOptions, ROOMY_BYTES, Relief},
    sampler::needs_negative,
    text::{llama, prompt::MAX_PROMPT_TOKENS},
    transformer::{self, Run, TransformerNeeds, section_tokens},
    vae::{self, Tiling},
    vision::siglip,
    weights::WeightsError,
};

/// Tokens that the template puts before a prompt, rounded up.
const TEMPLATE_TOKENS: u64 = 128;

/// Plans jobs for one device.
#[derive(Debug, Clone, Copy)]
pub struct Planner {
    device: Device,
    options: ModelOptions,
    /// Host memory that the models hold already, and can have again.
    held_host_bytes: u64,
}

impl Planner {
    /// Plans for `device`.
    pub fn new(device: Device, options: ModelOptions) -> Self {
        Self {
            device,
            options,
            held_host_bytes: 0,
        }
    }

    /// The same while models hold so much of the host's memory for streamed blocks: it is theirs to use, although the
    /// kernel no longer counts it as available.
    pub(crate) fn beside(self, held_host_bytes: u64) -> Self {
        Self {
            held_host_bytes,
            ..self
        }
    }

    /// Where the job's weights would be, and how much memory it would take, as the device is now. Reads the
    /// request's image, configurations and headers, and no weights.
    pub fn plan(&self, request: &RenderRequest) -> Result<MemoryPlan, Error> {
        let relief = ladder::relief(request.rung as usize);
        let planner = self.with(relief, request.precaution);
        device::catch(|| Ok(planner.plan_job(&Job::resolve(request)?)?.0))
    }

    /// The same for a job that needs more care than others.
    pub(crate) fn with(self, relief: Relief, precaution: Precaution) -> Self {
        Self {
            options: self.options.with(relief, precaution),
            ..self
        }
    }

    pub(crate) fn plan_job(&self, job: &Job) -> Result<(MemoryPlan, Placement), Error> {
        let memory = self.memory(probe::memory(self.device));
        let survey = self.survey(job, &memory)?;
        // The host may swap, so that nothing is refused on the CPU.
        let budget = match self.device {
            Device::Cuda(_) => memory,
            _ => AvailableMemory {
                free_bytes: u64::MAX / 2,
                ..memory
            },
        };
        let placed = Placed::new(&survey, &budget, &self.options)?;
        let report = self.report(&survey, &placed, &memory);
        Ok((
            report,
            placed.placement(&survey, &self.options, self.device),
        ))
    }

    /// Of what there is, what a job can have.
    fn memory(&self, now: AvailableMemory) -> AvailableMemory {
        let memory = now.without(self.options.ballast_bytes);
        AvailableMemory {
            host_available_bytes: memory.host_available_bytes + self.held_host_bytes,
            ..memory
        }
    }

    fn survey(&self, job: &Job, memory: &AvailableMemory) -> Result<Survey, Error> {
        let folder = |component| job.bundle.component(component);
        let encoder_bytes = bytes_of(self.options.encoder_kind(self.device));
        let vae_number_bytes = bytes_of(self.options.vae_kind(self.device));
        let vae_folder = folder(Component::Vae)?;
        let vae_config = vae::Config::read(&vae_folder)?;
        let vision_folder = folder(Component::ImageEncoder)?;
        let patches = siglip::Config::read(&vision_folder)?
            .patches()
            .unsigned_abs();
        let numbers = |model: Counted, dir: &Path| -> Result<u64, Error> {
            Ok(self.elements(model, dir)?.values().sum())
        };
        let vae_bytes = vae_number_bytes * numbers(Counted::Vae, &vae_folder)?;
        let vision = whole(encoder_bytes * numbers(Counted::Siglip, &vision_folder)?);
        let clip_bytes = encoder_bytes * numbers(Counted::Clip, &folder(Component::TextEncoder2)?)?;
        let mut text = self.llama(&folder(Component::TextEncoder)?)?;
        text.fixed_bytes += clip_bytes;

        let (mut transformer, tokens, hoisted_away_bytes) =
            self.transformer(job, &vae_config, patches)?;
        let encoders_bytes = text.fixed_bytes + text.layers_bytes + vision.fixed_bytes;
        let blocks_bytes: u64 = transformer.block_bytes.iter().sum();
        let all_bytes = encoders_bytes
            + vae_bytes
            + blocks_bytes
            + transformer.fixed_bytes
            + hoisted_away_bytes;
        let is_roomy = self.is_roomy(memory, all_bytes);
        let kept_bytes = vae_bytes + if is_roomy { encoders_bytes } else { 0 };
        transformer.fixed_bytes += kept_bytes;
        let decoding = Decoding {
            size_px: [job.plan.width_px.into(), job.plan.height_px.into()],
            latent_frames: decoded_latent_frames(job),
            channels: vae_config.block_out_channels[1].unsigned_abs(),
            kind_bytes: vae_number_bytes,
            tiling: self.options.tiling(self.device, memory.total_bytes),
        };
        Ok(Survey {
            transformer,
            tokens,
            hoisted_away_bytes,
            text,
            vision,
            vae_bytes,
            encoding: Decoding {
                latent_frames: 1,
                tiling: Tiling::Time,
                ..decoding
            },
            decoding,
            kept_bytes,
            is_roomy,
        })
    }

    /// Whether all models stay on the device at once. On the CPU they do where they fit.
    fn is_roomy(&self, memory: &AvailableMemory, all_bytes: u64) -> bool {
        match self.device {
            Device::Cuda(_) => memory.free_bytes >= ROOMY_BYTES,
            _ => memory.free_bytes >= all_bytes,
        }
    }

    /// Sizes of the tensors in a component's folder, or of those that are made for it.
    fn elements(&self, model: Counted, dir: &Path) -> Result<Elements, WeightsError> {
        match self.options.synthesise {
            Some(_) => configured_elements(model, dir),
            None => read_elements(model, dir),
        }
    }

    fn llama(&self, dir: &Path) -> Result<EncoderNeeds, Error> {
        let config = llama::Config::read(dir)?;
        let elements = self.elements(Counted::Llama, dir)?;
        let tokens = TEMPLATE_TOKENS + MAX_PROMPT_TOKENS as u64;
        let kind_bytes = bytes_of(self.options.encoder_kind(self.device));
        Ok(llama_needs(&elements, &config, (tokens, kind_bytes)))
    }

    /// What the transformer needs, its tokens, and the bytes of its weights that do not stay.
    fn transformer(
        &self,
        job: &Job,
        vae: &vae::Config,
        patches: u64,
    ) -> Result<(TransformerNeeds, u64, u64), Error> {
        let config = transformer::Config::read(&job.transformer)?;
        let image_tokens = if config.has_image_proj { patches } else { 0 };
        let context_tokens = image_tokens + MAX_PROMPT_TOKENS as u64;
        let ratio = vae.spatial_compression_ratio.unsigned_abs();
        let latent = [job.plan.height_px, job.plan.width_px].map(|px| u64::from(px) / ratio);
        let tokens = context_tokens + section_tokens(latent, job.plan.latent_window.into());
        let prompts = if needs_negative(&job.sampling.guidance) {
            2
        } else {
            1
        };
        let run = Run {
            tokens,
            context_tokens,
            evaluations: prompts * u64::from(job.sampling.steps),
        };
        let kind = self.options.transformer_kind(self.device);
        let (needs, hoisted_away_bytes) = transformer_needs(&config, &run, kind)?;
        Ok((needs, tokens, hoisted_away_bytes))
    }

    fn report(&self, survey: &Survey, placed: &Placed, memory: &AvailableMemory) -> MemoryPlan {
        let peak_bytes = placed
            .phases
            .iter()
            .map(|peak| peak.bytes)
            .max()
            .unwrap_or(0);
        let is_short = peak_bytes > memory.budget_bytes();
        let warning = is_short.then(|| {
            format!(
                "the job needs {} of host memory and {} are free: it may swap, or fail",
                Bytes(peak_bytes),
                Bytes(memory.free_bytes)
            )
        });
        MemoryPlan {
            device: DeviceMemory {
                label: device::label(self.device),
                name: device::model_name(self.device),
                total_bytes: memory.total_bytes,
                free_bytes: memory.free_bytes,
                foreign_bytes: memory.foreign_bytes,
                context_bytes: memory.context_bytes,
            },
            transformer: transformer_memory(survey, &placed.plan),
            text_encoder: placed.text_encoder,
            vae_tiles: match survey.decoding.tiling {
                Tiling::Time => VaeTiles::Time,
                Tiling::TimeAndSpace => VaeTiles::TimeAndSpace,
            },
            evicted_bytes: placed.evicted_bytes,
            phases: placed.phases.clone(),
            peak_bytes,
            warnings: warning.into_iter().collect(),
        }
    }
}

fn transformer_memory(survey: &Survey, plan: &Plan) -> TransformerMemory {
    let resident = plan.residency.resident.iter().filter(|stays| **stays);
    TransformerMemory {
        tokens: survey.tokens,
        activation_bytes: survey.transformer.activation_bytes,
        preserve_bytes: plan.preserve_bytes,
        fixed_bytes: survey.transformer.fixed_bytes,
        hoisted_away_bytes: survey.hoisted_away_bytes,
        blocks: plan.residency.resident.len() as u32,
        resident_blocks: resident.count() as u32,
        resident_bytes: plan.resident_bytes,
        slots: plan.residency.slots as u32,
        slots_bytes: plan.residency.slots as u64 * plan.slot_bytes,
        streamed_bytes: plan.streamed_bytes,
        arena_bytes: plan.arena_bytes,
        staged_bytes: plan.staged_bytes,
    }
}

/// Most latent frames that are decoded together.
fn decoded_latent_frames(job: &Job) -> u64 {
    let sections = job.sampling.sections.sections.iter();
    let frames = sections.map(|section| section.decoded_latent_frames.unsigned_abs());
    frames.max().unwrap_or(1)
}

fn bytes_of(kind: Kind) -> u64 {
    kind.elt_size_in_bytes() as u64
}

#[cfg(test)]
mod tests;
