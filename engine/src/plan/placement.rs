//! Where a job's weights go, and what that means for its models.

use framepack_ipc::worker::Phase;
use framepack_jobs::PhasePeak;
use tch::Kind;

use super::{
    budget::Budget,
    decoding::ChosenScheme,
    options::ModelOptions,
    overlap::{NoOverlap, fits},
    phases::{place_decoding, place_encoder},
    relief::Relief,
    split::{Split, split},
    survey::Survey,
};
use crate::{error::PlanError, nn::EncoderCost, transformer::StepCacheRule};

/// What the models do with a plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// The transformer's blocks.
    pub(crate) transformer: Split,
    /// Whether all models stay on the device at once.
    pub(crate) is_roomy: bool,
    /// What steps reuse.
    pub(crate) step_cache: StepCacheRule,
    /// Slots through which the text encoder's layers pass; `None`: all are on the device.
    pub(crate) text_slots: Option<usize>,
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
    /// What waits on the device for the next section, which decodes the same tiles; 0 if nothing does.
    pub(crate) recurring_bytes: u64,
    /// Whether a section is decoded while the next one is sampled.
    pub(crate) overlap: Result<(), NoOverlap>,
    /// How the VAE decodes.
    pub(crate) decoding: ChosenScheme,
    /// Whether anything but the step cache was given up for want of memory.
    pub(crate) has_relief: bool,
}

impl Placement {
    /// Whether nothing is done otherwise than by `other`, although the planner may have learnt what decoding takes, or have
    /// another reason for the same way of it.
    pub(crate) fn does_as(&self, other: &Self) -> bool {
        let decoding = ChosenScheme {
            scheme: other.decoding.scheme,
            reason: self.decoding.reason,
        };
        *self
            == Self {
                decoding_bytes: self.decoding_bytes,
                recurring_bytes: self.recurring_bytes,
                overlap: self.overlap,
                decoding,
                has_relief: self.has_relief,
                ..other.clone()
            }
    }
}

/// A placement and what will come of it, which the models do not act on: two plans are the same to them although the
/// memory that other programs use has changed in between.
pub(super) struct Planned {
    pub(super) placement: Placement,
    /// Bytes of blocks that leave the device while a section is decoded.
    pub(super) evicted_bytes: u64,
    pub(super) phases: Vec<PhasePeak>,
}

impl Planned {
    /// Places what was surveyed; an error says what is missing. Frames wait for the next section where there is room.
    pub(super) fn new(
        survey: &Survey,
        budget: &Budget,
        options: &ModelOptions,
    ) -> Result<Self, PlanError> {
        let with_tiles = Self::beside(survey.recurring_bytes, (survey, budget), options);
        with_tiles.or_else(|_| Self::beside(0, (survey, budget), options))
    }

    /// The same where so much of a section waits for the next one.
    fn beside(
        recurring_bytes: u64,
        (survey, budget): (&Survey, &Budget),
        options: &ModelOptions,
    ) -> Result<Self, PlanError> {
        let beside_tiles = Budget {
            free_bytes: budget.free_bytes.saturating_sub(recurring_bytes),
            ..*budget
        };
        let transformer = split(&survey.transformer, &beside_tiles, &options.limits)?;
        let kept_bytes = survey.kept_bytes;
        let prompt = "encoding the prompt";
        let text = place_encoder(
            prompt,
            &survey.unless_kept(&survey.text),
            kept_bytes,
            budget,
        )?;
        let vision = EncoderCost {
            activation_bytes: survey.encoding_bytes,
            ..survey.unless_kept(&survey.vision)
        };
        let image = place_encoder("encoding the image", &vision, kept_bytes, budget)?;

        let stays_bytes = survey.transformer.fixed_bytes + survey.transformer.hoisted_bytes;
        // What waits for a section is there while it makes what waits for the one after it.
        let decoding_bytes = survey.decoding_bytes + recurring_bytes;
        let least_bytes = place_decoding(decoding_bytes, stays_bytes + recurring_bytes, budget)?;
        let blocks_bytes = transformer.resident_bytes + transformer.slots_bytes();
        let evicted_bytes = (least_bytes + blocks_bytes).saturating_sub(budget.usable_bytes());
        let sampling_bytes = transformer.peak_bytes + recurring_bytes;
        let overlap = survey.overlap;
        let overlap = overlap.and_then(|()| fits(sampling_bytes, decoding_bytes, budget));
        let decoding_peak_bytes = match overlap {
            Ok(()) => sampling_bytes + decoding_bytes,
            Err(_) => least_bytes + blocks_bytes - evicted_bytes,
        };
        let peaks = [
            (Phase::Text, text.peak_bytes),
            (Phase::Image, image.peak_bytes),
            (Phase::Sample, sampling_bytes),
            (Phase::Decode, decoding_peak_bytes),
        ];
        Ok(Self {
            placement: Placement {
                transformer,
                is_roomy: survey.is_roomy,
                step_cache: survey.step_cache,
                text_slots: text.slots,
                text_bytes: text.peak_bytes - kept_bytes,
                image_bytes: image.peak_bytes - kept_bytes,
                vae_bytes: survey.vae_bytes,
                vae_kind: survey.vae_kind,
                decoding_bytes,
                recurring_bytes,
                overlap,
                decoding: survey.decoding,
                has_relief: options.limits.relief
                    != Relief {
                        drops_step_cache: options.limits.relief.drops_step_cache,
                        ..Relief::default()
                    },
            },
            evicted_bytes,
            phases: peaks
                .map(|(phase, bytes)| PhasePeak { phase, bytes })
                .into(),
        })
    }
}
