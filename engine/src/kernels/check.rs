//! Whether kernels can be had, and what they give beside torch's operations on a device.

use tch::Device;

use super::{
    comparison::Comparison,
    frames,
    launch::{self, Kernels, NoCode},
    tokens,
};
use crate::device::{Check, Outcome, catch};

/// For which architecture the compiler is tried where no device is.
const ARCHITECTURE: i32 = 90;

/// Tries the compiler and all kernels on `device`, and says what is computed without them.
pub fn check(device: Device) -> impl Iterator<Item = Check> {
    type Try = fn(Device) -> Outcome;
    let checks: [(_, Try); 3] = [
        ("kernel compiler", compiler),
        ("kernels of the VAE", |device| {
            compare(device, frames::compare)
        }),
        ("kernels of the transformer", |device| {
            compare(device, tokens::compare)
        }),
    ];
    checks.into_iter().map(move |(name, check)| {
        let outcome = catch(|| Ok(check(device))).unwrap_or_else(|error| Outcome::Failed {
            reason: error.to_string(),
        });
        Check { name, outcome }
    })
}

fn compiler(device: Device) -> Outcome {
    let architecture = launch::architecture(device).unwrap_or(ARCHITECTURE);
    for variant in [frames::example(), tokens::example()] {
        match launch::compile(&variant, architecture) {
            Ok(_) => (),
            Err(NoCode::Failed(reason)) => return Outcome::Failed { reason },
            Err(NoCode::NoCompiler) if device.is_cuda() => {
                return Outcome::Failed {
                    reason: "NVRTC (libnvrtc.so.13) is not installed: torch's operations do the kernels' work, slower"
                        .to_owned(),
                };
            }
            Err(NoCode::NoCompiler) => return Outcome::NotOnThisDevice,
        }
    }
    let version = launch::compiler_version().unwrap_or_default();
    Outcome::Ok {
        detail: format!("NVRTC {version}, for sm_{architecture}"),
    }
}

fn compare(device: Device, compare: impl FnOnce(&Kernels, Device) -> Comparison) -> Outcome {
    let kernels = Kernels::new(device);
    let farthest = compare(&kernels, device).farthest();
    let percent = format!("{:.0} % of what rounding explains", farthest * 100.0);
    match (kernels.are_loaded(), device) {
        _ if farthest > 1.0 => Outcome::Failed {
            reason: format!("they differ from torch's operations by {percent}"),
        },
        (true, _) => Outcome::Ok {
            detail: format!("max difference from torch's operations {percent}"),
        },
        (false, Device::Cuda(_)) => Outcome::Failed {
            reason: "they can't be loaded: torch's operations do their work, slower".to_owned(),
        },
        (false, _) => Outcome::NotOnThisDevice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_processor_torchs_operations_are_compared_with_themselves() {
        let outcomes: Vec<_> = check(Device::Cpu).map(|check| check.outcome).collect();
        let Outcome::Ok { detail } = &outcomes[0] else {
            panic!("{outcomes:?}")
        };
        assert!(detail.ends_with("for sm_90"), "{detail}");
        assert_eq!(
            outcomes[1..],
            [Outcome::NotOnThisDevice, Outcome::NotOnThisDevice]
        );
    }
}
