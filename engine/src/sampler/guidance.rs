//! Real classifier-free guidance and its rescale.
//!
//! "Common Diffusion Noise Schedules and Sample Steps are Flawed" (arXiv:2305.08891), section 3.4; the
//! distilled guidance scale is an input of the transformer and not part of this.

use framepack_jobs::Guidance;
use tch::Tensor;

/// Something for each branch of the guidance: with the prompt, and with the negative prompt where that is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Guided<T> {
    /// With the prompt.
    pub positive: T,
    /// With the negative prompt, if the guidance needs it.
    pub negative: Option<T>,
}

impl<T> Guided<T> {
    /// The same by reference.
    pub fn as_ref(&self) -> Guided<&T> {
        Guided {
            positive: &self.positive,
            negative: self.negative.as_ref(),
        }
    }

    /// The same by mutable reference.
    pub(super) fn as_mut(&mut self) -> Guided<&mut T> {
        Guided {
            positive: &mut self.positive,
            negative: self.negative.as_mut(),
        }
    }

    /// Both, for each branch that both have.
    pub(super) fn zip<U>(self, other: Guided<U>) -> Guided<(T, U)> {
        Guided {
            positive: (self.positive, other.positive),
            negative: self.negative.zip(other.negative),
        }
    }

    /// What `f` makes of each branch, the positive one first.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Guided<U> {
        Guided {
            positive: f(self.positive),
            negative: self.negative.map(f),
        }
    }
}

/// The guided velocity from the velocities with the prompt and with the negative prompt, all (B, C, T, h, w) f32.
pub fn guide(guidance: &Guidance, positive: &Tensor, negative: &Tensor) -> Tensor {
    let guided = negative + (positive - negative) * guidance.cfg;
    if guidance.rescale <= 0. {
        return guided;
    }
    let rescaled = &guided * (std_of_each(positive) / std_of_each(&guided));
    rescaled * guidance.rescale + guided * (1. - guidance.rescale)
}

/// Whether the guidance needs a second evaluation with the negative prompt.
#[expect(clippy::float_cmp, reason = "a setting: exactly 1 turns it off")]
pub fn needs_negative(guidance: &Guidance) -> bool {
    guidance.cfg != 1.
}

/// Standard deviation of each batch entry, (B, 1, 1, 1, 1).
fn std_of_each(velocity: &Tensor) -> Tensor {
    let all_but_batch: Vec<i64> = (1..velocity.dim() as i64).collect();
    velocity.std_dim(&all_but_batch[..], true, true)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn guidance_is_the_reference() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/parity/data/guidance.safetensors"
        );
        let tensors: HashMap<String, Tensor> = Tensor::read_safetensors(path)
            .expect(path)
            .into_iter()
            .collect();
        for case in 0..3 {
            let number = |name: &str| tensors[&format!("{case}.{name}")].double_value(&[0]);
            let guidance = Guidance {
                cfg: number("cfg"),
                rescale: number("rescale"),
                ..Guidance::default()
            };
            assert!(needs_negative(&guidance));
            let got = guide(&guidance, &tensors["positive"], &tensors["negative"]);
            let error = (got - &tensors[&format!("{case}.output")])
                .abs()
                .max()
                .double_value(&[]);
            assert!(error <= 1e-5, "case {case}: {error}");
        }
    }
}
