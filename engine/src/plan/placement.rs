//! Where a job's weights go, and what that means for its models.

use framepack_ipc::worker::Phase;
use framepack_jobs::{EncoderPlacement, PhasePeak};
use tch::{Device, Kind};

use super::{
    available::AvailableMemory,
    phases::{EncoderNeeds, place_decoding, place_encoder},
    split::{Plan, plan},
    survey::Survey,
};
use crate::{
    error::PlanError,
    options::{ModelOptions, Relief},
    vae::Tiling,
};

/// What the models do with a plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// The transformer's blocks.
    pub(crate) transformer: Plan,
    /// Whether all models stay on the device at once.
    pub(crate) is_roomy: bool,
    /// Whether the text encoder's layers pass through slots.
    pub(crate) streams_text: bool,
    /// What encoding a prompt takes, weights included.
    pub(crate) text_bytes: u64,
    /// What encoding an image takes, SigLIP's weights included.
    pub(crate) image_bytes: u64,
    /// The VAE's weights.
    pub(crate) vae_bytes: u64,
    /// Type of the VAE.
    pub(crate) vae_kind: Kind,
    /// What decoding takes beside its weights.
    pub(crate) decoding_bytes: u64,
    /// How the VAE cuts what it decodes.
    pub(crate) tiling: Tiling,
    /// Whether anything was given up for want of memory.
    pub(crate) has_relief: bool,
}

/// Where everything goes.
pub(super) struct Placed {
    pub(super) plan: Plan,
    pub(super) text_encoder: EncoderPlacement,
    pub(super) evicted_bytes: u64,
    pub(super) phases: Vec<PhasePeak>,
}

impl Placed {
    /// What it means for the models.
    pub(super) fn placement(
        self,
        survey: &Survey,
        options: &ModelOptions,
        device: Device,
    ) -> Placement {
        let beside = |phase: Phase| {
            let peak = self.phases.iter().find(|peak| peak.phase == phase);
            peak.map_or(0, |peak| peak.bytes - survey.kept_bytes)
        };
        Placement {
            is_roomy: survey.is_roomy,
            streams_text: self.text_encoder == EncoderPlacement::Streamed,
            text_bytes: beside(Phase::Text),
            image_bytes: beside(Phase::Image),
            vae_bytes: survey.vae_bytes,
            vae_kind: options.vae_kind(device),
            decoding_bytes: survey.decoding.working_bytes(),
            tiling: survey.decoding.tiling,
            has_relief: options.limits.relief != Relief::default(),
            transformer: self.plan,
        }
    }

    /// Places what was surveyed; an error says what is missing.
    pub(super) fn new(
        survey: &Survey,
        memory: &AvailableMemory,
        options: &ModelOptions,
    ) -> Result<Self, PlanError> {
        let plan = plan(&survey.transformer, memory, &options.limits)?;
        let kept_bytes = survey.kept_bytes;
        // What is kept anyway is not counted twice.
        let new_bytes = |needs: &EncoderNeeds| {
            if survey.is_roomy {
                EncoderNeeds {
                    activation_bytes: needs.activation_bytes,
                    ..EncoderNeeds::default()
                }
            } else {
                *needs
            }
        };
        let text = place_encoder(
            "encoding the prompt",
            &new_bytes(&survey.text),
            kept_bytes,
            memory,
        )?;
        let vision = EncoderNeeds {
            activation_bytes: survey.encoding.working_bytes(),
            ..new_bytes(&survey.vision)
        };
        let image = place_encoder("encoding the image", &vision, kept_bytes, memory)?;

        let stays_bytes = survey.transformer.fixed_bytes + survey.transformer.hoisted_bytes;
        let least_bytes = place_decoding(&survey.decoding, stays_bytes, memory)?;
        let blocks_bytes = plan.resident_bytes + plan.residency.slots as u64 * plan.slot_bytes;
        let evicted_bytes = (least_bytes + blocks_bytes).saturating_sub(memory.budget_bytes());
        let peaks = [
            (Phase::Text, text.peak_bytes),
            (Phase::Image, image.peak_bytes),
            (Phase::Sample, plan.peak_bytes),
            (Phase::Decode, least_bytes + blocks_bytes - evicted_bytes),
        ];
        Ok(Self {
            plan,
            text_encoder: if text.is_streamed {
                EncoderPlacement::Streamed
            } else {
                EncoderPlacement::Resident
            },
            evicted_bytes,
            phases: peaks
                .map(|(phase, bytes)| PhasePeak { phase, bytes })
                .into(),
        })
    }
}
