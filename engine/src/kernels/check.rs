//! The kernels of a device against torch's operations on it.

use tch::{Device, Tensor};

use super::{frames, launch::Kernels, tokens};
use crate::device::{Check, Outcome, catch};

/// What comparing some kernels showed.
pub(super) struct Comparison {
    /// Largest difference.
    pub(super) farthest: f64,
    /// The largest that rounding explains.
    pub(super) limit: f64,
}

impl Comparison {
    /// Nothing compared yet.
    pub(super) fn within(limit: f64) -> Self {
        let farthest = 0.0;
        Self { farthest, limit }
    }

    /// Compares one result.
    pub(super) fn see(&mut self, found: &Tensor, expected: &Tensor) {
        let apart = (found.to_kind(tch::Kind::Double) - expected).abs().max();
        let apart = apart.double_value(&[]);
        self.farthest = if apart.is_nan() {
            f64::INFINITY
        } else {
            self.farthest.max(apart)
        };
    }
}

/// Tries all kernels on `device`, and says what is computed without them.
pub fn check(device: Device) -> impl Iterator<Item = Check> {
    type Compare = fn(&Kernels, Device) -> Comparison;
    let of_models: [(_, Compare); 2] = [
        ("kernels of the VAE", frames::compare),
        ("kernels of the transformer", tokens::compare),
    ];
    of_models.into_iter().map(move |(name, compare)| {
        let kernels = Kernels::new(device);
        let compared = catch(|| Ok(compare(&kernels, device)));
        let outcome = match compared {
            Ok(compared) => outcome(&compared, &kernels, device),
            Err(error) => Outcome::Failed {
                reason: error.to_string(),
            },
        };
        Check { name, outcome }
    })
}

fn outcome(compared: &Comparison, kernels: &Kernels, device: Device) -> Outcome {
    let Comparison { farthest, limit } = compared;
    match (kernels.are_loaded(), device) {
        _ if farthest > limit => Outcome::Failed {
            reason: format!("max difference from torch's operations {farthest:.1e}, more than {limit:.0e}"),
        },
        (true, _) => Outcome::Ok {
            detail: format!("max difference from torch's operations {farthest:.1e}"),
        },
        (false, Device::Cuda(_)) => Outcome::Failed {
            reason: "NVRTC (libnvrtc.so.13) can't compile them: torch's operations do their work, slower".to_owned(),
        },
        (false, _) => Outcome::NotOnThisDevice,
    }
}
