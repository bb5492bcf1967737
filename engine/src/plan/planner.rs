//! A job's memory, from its request: what the daemon can ask for before the job, and what its report says.

use framepack_ipc::worker::{MemoryPlan, RenderRequest};
use framepack_jobs::{
    Bytes, DecodeOverlap, DeviceMemory, EncoderPlacement, TransformerMemory, VaeDecoding, VaeMode,
    VaeTiles, settings::PRESERVE_GB,
};
use tch::Device;

use super::{
    budget::Budget,
    decoding::piece,
    foresight::foresee,
    lacks::moot_settings,
    ladder,
    options::ModelOptions,
    placement::{Placement, Planned},
    probe,
    relief::Relief,
    sizes::DecodeFactors,
    split::Split,
    survey::Survey,
};
use crate::{
    device,
    error::Error,
    job::Job,
    nn::attention::Choices,
    text::reach::Reach,
    transformer::StepCacheRule,
    vae::{DecodeScheme, FinestLevel, Precision, SpaceTiling, TimeTiling},
};

/// Plans jobs for one device.
#[derive(Debug, Clone)]
pub struct Planner {
    device: Device,
    options: ModelOptions,
    /// Host memory that the models hold already, and can have again.
    held_host_bytes: u64,
    /// What is kept for the device, where that is known.
    choices: Option<Choices>,
    /// What was measured of decoding on the device.
    factors: DecodeFactors,
}

impl Planner {
    /// Plans for `device`.
    pub fn new(device: Device, options: ModelOptions) -> Self {
        Self {
            device,
            options,
            held_host_bytes: 0,
            choices: None,
            factors: DecodeFactors::default(),
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

    /// The same where these attention choices are kept for the device.
    pub(crate) fn knowing(self, choices: Choices) -> Self {
        Self {
            choices: Some(choices),
            ..self
        }
    }

    /// The same where decodes were measured.
    pub(crate) fn measured(self, factors: DecodeFactors) -> Self {
        Self { factors, ..self }
    }

    /// Where the job's weights would be, and how much memory it would take, as the device is now. Reads the
    /// request's image, configurations and headers, and no weights. Its warnings are also those of the picture and the
    /// prompts, as the report will have them.
    pub fn plan(&self, request: &RenderRequest) -> Result<MemoryPlan, Error> {
        let relief = ladder::relief(request.rung as usize, request.host_rung);
        device::catch(|| {
            let mut job = Job::resolve(request)?;
            let (mut plan, _) = self.plan_job(&job, relief)?;
            let tokens = plan.transformer.tokens;
            if let Some(mut choices) = self.choices.clone() {
                let here = (self.device, &self.options);
                let foreseen = foresee(&job, tokens, here, &mut choices)?;
                if foreseen.is_unexpected {
                    job.attention_memory = Some(foreseen.memory);
                    plan = self.plan_job(&job, relief)?.0;
                }
                plan.warnings.extend(foreseen.inactive);
            }
            plan.warnings
                .extend(moot_settings(self.device, &request.settings));
            plan.warnings.extend(Reach::default().warnings(request));
            plan.warnings.extend(job.warnings);
            Ok(plan)
        })
    }

    /// The same, and what the models do with it, for a job that gives up so much; and its step cache, where it does not fit
    /// otherwise.
    pub(crate) fn plan_job(
        &self,
        job: &Job,
        relief: Relief,
    ) -> Result<(MemoryPlan, Placement), Error> {
        let planned = self.plan_with(job, relief);
        let is_cached = job.sampling.step_cache != StepCacheRule::Off && !relief.drops_step_cache;
        let Err(Error::Plan(too_small)) = planned else {
            return planned;
        };
        let relief = Relief {
            drops_step_cache: true,
            ..relief
        };
        match is_cached.then(|| self.plan_with(job, relief)) {
            Some(Ok((mut plan, placement))) => {
                plan.warnings.push(format!(
                    "without its step cache ({}), for which there is no room: {too_small}",
                    job.sampling.step_cache
                ));
                Ok((plan, placement))
            }
            _ => Err(Error::Plan(too_small)),
        }
    }

    fn plan_with(&self, job: &Job, relief: Relief) -> Result<(MemoryPlan, Placement), Error> {
        let options = self.options.for_job(job, relief);
        let now = self.budget(probe::budget(self.device));
        let survey = Survey::new(job, &options, (self.device, &self.factors), &now)?;
        // The host may swap, so that nothing is refused on the CPU.
        let budget = match self.device {
            Device::Cuda(_) => now,
            _ => Budget {
                free_bytes: u64::MAX / 2,
                ..now
            },
        };
        let planned = Planned::new(&survey, &budget, &options)?;
        let mut report = self.report(&survey, &planned, &now);
        if let Some(reason) = planned.placement.transformer.less_preserved() {
            let key = PRESERVE_GB.key;
            report.warnings.push(format!("{key}: inactive: {reason}"));
        }
        Ok((report, planned.placement))
    }

    /// Of what there is, what a job can have.
    fn budget(&self, now: Budget) -> Budget {
        let budget = now.without(self.options.ballast_bytes);
        Budget {
            host_available_bytes: budget.host_available_bytes + self.held_host_bytes,
            ..budget
        }
    }

    fn report(&self, survey: &Survey, planned: &Planned, budget: &Budget) -> MemoryPlan {
        let placement = &planned.placement;
        let peaks = planned.phases.iter().map(|peak| peak.bytes);
        let peak_bytes = peaks.max().unwrap_or(0);
        let is_short = peak_bytes > budget.usable_bytes();
        let warning = is_short.then(|| {
            format!(
                "the job needs {} of host memory and {} are free: it may swap, or fail",
                Bytes(peak_bytes),
                Bytes(budget.free_bytes)
            )
        });
        MemoryPlan {
            device: DeviceMemory {
                label: device::label(self.device),
                name: device::model_name(self.device),
                total_bytes: budget.total_bytes,
                free_bytes: budget.free_bytes,
                foreign_bytes: budget.foreign_bytes,
                context_bytes: budget.context_bytes,
            },
            transformer: TransformerMemory {
                // A processor keeps nothing free.
                preserve_bytes: match self.device {
                    Device::Cuda(_) => placement.transformer.preserve_bytes,
                    _ => 0,
                },
                ..transformer_memory(survey, &placement.transformer)
            },
            text_encoder: match placement.text_slots {
                Some(_) => EncoderPlacement::Streamed,
                None => EncoderPlacement::Resident,
            },
            vae_tiles: match placement.decoding.scheme.space {
                SpaceTiling::Whole => VaeTiles::Time,
                SpaceTiling::Reference | SpaceTiling::Large | SpaceTiling::Squares(_) => {
                    VaeTiles::TimeAndSpace
                }
            },
            vae: Some(decoding(survey, placement)),
            overlap: Some(overlap(placement)),
            evicted_bytes: planned.evicted_bytes,
            phases: planned.phases.clone(),
            peak_bytes,
            warnings: warning.into_iter().collect(),
        }
    }
}

fn overlap(placement: &Placement) -> DecodeOverlap {
    DecodeOverlap {
        is_planned: placement.overlap.is_ok(),
        reason: match placement.overlap {
            Ok(()) => "there is memory for both".to_owned(),
            Err(reason) => reason.to_string(),
        },
    }
}

fn decoding(survey: &Survey, placement: &Placement) -> VaeDecoding {
    let DecodeScheme {
        time,
        space,
        precision,
        finest,
    } = survey.decoding.scheme;
    let mode = match time {
        TimeTiling::Reference => VaeMode::Reference,
        TimeTiling::Chunked(_) | TimeTiling::Whole => VaeMode::Chunked,
    };
    let piece = piece(survey.decoding.scheme);
    let section = survey.section_latent_frames;
    let (latent_frames, context, blend) = match piece {
        Some(piece) if u64::from(piece.latent_frames()) < section => (
            piece.latent_frames().into(),
            piece.context_latent_frames(),
            piece.blend_frames(),
        ),
        // A section in one piece has nothing before it.
        _ => (section, 0, 0),
    };
    VaeDecoding {
        mode,
        quality: precision == Precision::F32Sums,
        chunk_latent_frames: latent_frames as u32,
        step_latent_frames: match finest {
            FinestLevel::AtOnce => None,
            FinestLevel::InSteps(step) => Some(step.into()),
        },
        context_latent_frames: context.into(),
        blend_frames: blend.into(),
        tile_px: space.tile_px().map(|side| side as u32),
        work: survey.decoding_work,
        working_bytes: placement.decoding_bytes,
        recurring_bytes: placement.recurring_bytes,
        sizes: survey.decoding_sizes,
        reason: survey.decoding.reason.to_string(),
    }
}

fn transformer_memory(survey: &Survey, split: &Split) -> TransformerMemory {
    TransformerMemory {
        tokens: survey.tokens,
        activation_bytes: survey.transformer.activation_bytes,
        step_cache_bytes: survey.transformer.step_cache_bytes,
        preserve_bytes: split.preserve_bytes,
        fixed_bytes: survey.transformer.fixed_bytes,
        hoisted_away_bytes: survey.transformer.hoisted_away_bytes,
        blocks: split.residency.resident.len() as u32,
        resident_blocks: split.residency.residents() as u32,
        resident_bytes: split.resident_bytes,
        slots: split.residency.slots as u32,
        slots_bytes: split.slots_bytes(),
        streamed_bytes: split.streamed_bytes,
        arena_bytes: split.arena_bytes,
        staged_bytes: split.staged_bytes,
    }
}

#[cfg(test)]
mod tests;
