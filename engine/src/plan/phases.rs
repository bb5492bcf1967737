//! What each phase beside sampling takes on the device, and whether an encoder is there as a whole.

use super::budget::Budget;
use crate::{error::PlanError, nn::EncoderCost};

/// Slots for the layers of an encoder that is too large for the device.
const ENCODER_SLOTS: usize = 3;

/// How an encoder is run, and what it takes then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EncoderPlan {
    /// Slots through which its layers pass; `None`: all are on the device.
    pub(super) slots: Option<usize>,
    /// Most device memory.
    pub(super) peak_bytes: u64,
}

/// Runs an encoder whole if it fits beside `kept_bytes` of other weights, and else layer by layer.
pub(super) fn place_encoder(
    phase: &'static str,
    cost: &EncoderCost,
    kept_bytes: u64,
    budget: &Budget,
) -> Result<EncoderPlan, PlanError> {
    let base_bytes = cost.fixed_bytes + cost.activation_bytes;
    let ring_bytes = cost
        .layers_bytes
        .min(ENCODER_SLOTS as u64 * cost.layer_bytes);
    let plans = [(None, cost.layers_bytes), (Some(ENCODER_SLOTS), ring_bytes)];
    let plan = plans.map(|(slots, bytes)| EncoderPlan {
        slots,
        peak_bytes: kept_bytes + base_bytes + bytes,
    });
    let fits = |plan: &EncoderPlan| plan.peak_bytes <= budget.usable_bytes();
    plan.into_iter().find(fits).ok_or_else(|| {
        let needs = [
            ("embeddings", cost.fixed_bytes),
            ("slots", ring_bytes),
            ("working memory", cost.activation_bytes),
        ];
        budget.too_small(phase, kept_bytes, needs)
    })
}

/// What decoding takes with its working memory beside `kept_bytes` of weights that stay, the VAE's among them.
pub fn place_decoding(
    working_bytes: u64,
    kept_bytes: u64,
    budget: &Budget,
) -> Result<u64, PlanError> {
    if kept_bytes + working_bytes <= budget.usable_bytes() {
        return Ok(kept_bytes + working_bytes);
    }
    Err(budget.too_small("decoding", kept_bytes, [("working memory", working_bytes)]))
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::{
        kernels::KernelUse,
        plan::options::space_tiling_on,
        vae::{Config, DecodeCost, SpaceTiling},
    };

    const GIB: u64 = 1 << 30;
    const VAE_BYTES: u64 = 493_000_000;

    /// Working memory of 18 latent frames of the published VAE.
    fn decoding(space: SpaceTiling) -> u64 {
        let decoding = DecodeCost {
            config: &Config::published(),
            kind: Kind::Half,
            size_px: [608, 640],
            latent_frames: 18,
            scheme: space.into(),
            kernels: KernelUse::Off,
        };
        decoding.working_bytes()
    }

    fn card(gib: u64) -> Budget {
        Budget {
            total_bytes: gib * GIB,
            free_bytes: gib * GIB,
            foreign_bytes: 0,
            context_bytes: GIB / 2,
            host_available_bytes: 64 * GIB,
        }
    }

    /// On an H100, `bench vae-decode`: everything that the process had on the device.
    #[test]
    fn the_measured_peaks_of_a_process_that_decodes_are_planned() {
        let budget = Budget {
            context_bytes: 618_000_000,
            ..card(80)
        };
        for (tiling, measured_bytes) in [
            (SpaceTiling::Whole, 19_938_476_032_u64),
            (SpaceTiling::Reference, 4_654_432_256),
        ] {
            let peak_bytes = place_decoding(decoding(tiling), VAE_BYTES, &budget).unwrap();
            let ratio = (budget.context_bytes + peak_bytes) as f64 / measured_bytes as f64;
            assert!((1.0..1.1).contains(&ratio), "{tiling:?}: {ratio}");
        }
    }

    #[test]
    fn llama_is_streamed_where_it_does_not_fit() {
        let llama = EncoderCost {
            fixed_bytes: 1_050_000_000,
            layers_bytes: 30 * 436_000_000,
            layer_bytes: 436_000_000,
            activation_bytes: 100_000_000,
        };
        let place = |gib| place_encoder("encoding the prompt", &llama, GIB / 4, &card(gib));
        assert_eq!(place(24).unwrap().slots, None);
        let streamed = place(6).unwrap();
        assert_eq!(streamed.slots, Some(3));
        assert_eq!(
            streamed.peak_bytes,
            GIB / 4 + 1_150_000_000 + 3 * 436_000_000
        );
        let message = place(3).unwrap_err().to_string();
        assert!(
            message.contains("encoding the prompt needs at least"),
            "{message}"
        );
    }

    #[test]
    fn decoding_fits_an_8_gib_card_in_tiles_and_not_without() {
        let kept = VAE_BYTES + GIB / 8;
        let budget = card(8);
        let tiling = space_tiling_on(budget.total_bytes);
        assert_eq!(tiling, SpaceTiling::Reference);
        assert_eq!(space_tiling_on(80 * GIB), SpaceTiling::Whole);
        let tiled = place_decoding(decoding(tiling), kept, &budget).unwrap();
        assert!(tiled < 5 * GIB, "{tiled}");
        let error = place_decoding(decoding(SpaceTiling::Whole), kept, &budget).unwrap_err();
        assert!(
            error.to_string().starts_with("decoding needs at least 20."),
            "{error}"
        );
    }
}
