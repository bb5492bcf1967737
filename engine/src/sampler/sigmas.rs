//! The noise schedule of flow matching: sigmas from 1 to 0, shifted toward 1 for long token sequences.
//!
//! "Scaling Rectified Flow Transformers" (arXiv:2403.03206), section 5.3.2, with Flux's linear rule for the
//! shift; upstream: FramePack's `calculate_flux_mu` and `get_flux_sigmas_from_mu`.

use tch::{Device, Kind, Tensor};

/// How far a schedule is shifted: at the middle of the way sigma is shift / (1 + shift).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shift {
    /// By the number of latent tokens that are generated at once.
    LatentTokens(i64),
    /// By this factor, above 0.
    Factor(f64),
}

impl Shift {
    /// The shift for latents of shape (B, C, T, h, w), which the transformer takes in patches of 2 x 2.
    pub fn of(latents: &[i64]) -> Self {
        Self::LatentTokens(latents[2..].iter().product::<i64>() / 4)
    }

    /// Largest shift that the token rule gives.
    const MAX_BY_TOKENS: f64 = 7.;

    fn factor(self) -> f64 {
        match self {
            Self::Factor(shift) => shift,
            Self::LatentTokens(tokens) => {
                // The line through (256 tokens, 0.5) and (4096 tokens, 1.15).
                let slope = (1.15 - 0.5) / (4096. - 256.);
                let mu = slope * tokens as f64 + (0.5 - slope * 256.);
                mu.min(Self::MAX_BY_TOKENS.ln()).exp()
            }
        }
    }
}

/// The schedule for `steps` evaluations (at least 1): `steps + 1` values, falling from 1 to 0.
pub fn sigmas(steps: u32, shift: Shift) -> Vec<f32> {
    // In f32 and in this order, like upstream: timesteps are rounded to bf16, where the last bit can show.
    let shift = shift.factor() as f32;
    let even = Tensor::linspace(1., 0., i64::from(steps) + 1, (Kind::Float, Device::Cpu));
    let even = Vec::<f32>::try_from(even).expect("a one-dimensional f32 tensor");
    even.into_iter()
        .map(|t| shift / (shift + (1. / t - 1.)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_the_reference() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/parity/data/sigmas.json"
        );
        let cases: Vec<serde_json::Value> =
            serde_json::from_slice(&std::fs::read(path).expect(path)).expect(path);
        assert!(!cases.is_empty());
        for case in cases {
            let steps = case["steps"].as_u64().expect("a number") as u32;
            let shift = match case["shift"].as_f64() {
                Some(shift) => Shift::Factor(shift),
                None => Shift::LatentTokens(case["latent_tokens"].as_i64().expect("a number")),
            };
            let wanted: Vec<f32> = serde_json::from_value(case["sigmas"].clone()).expect("numbers");
            let got = sigmas(steps, shift);
            assert_eq!(got.len(), wanted.len());
            for (got, wanted) in got.iter().zip(&wanted) {
                assert!(
                    (got - wanted).abs() <= 2e-7,
                    "{got} instead of {wanted}: {case}"
                );
            }
        }
    }

    #[test]
    fn the_published_schedule_of_25_steps() {
        let got = sigmas(25, Shift::LatentTokens(13680));
        for (step, wanted) in [
            (0, 1.),
            (1, 0.994_082_8),
            (12, 0.883_495_1),
            (24, 0.225_806_5),
            (25, 0.),
        ] {
            assert!(
                (got[step] - wanted).abs() <= 2e-7,
                "step {step}: {}",
                got[step]
            );
        }
    }
}
