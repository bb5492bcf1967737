//! Whether a device does what the engine builds on: each function of this folder, tried on it.

mod attention;
mod copies;
mod finding;
mod memory;
mod streams;

use serde::Serialize;
use tch::Device;

use self::finding::Finding;
use super::catch::catch;

/// One function of the device, tried.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was tried.
    pub name: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It works.
    Ok {
        /// What was measured.
        detail: String,
    },
    /// It does not work, or gives wrong numbers.
    Failed {
        /// In which way.
        reason: String,
    },
    /// The device has no such thing, and the engine does without.
    NotOnThisDevice,
}

type Try = fn(Device) -> Finding;

const CHECKS: [(&str, Try); 11] = [
    ("memory information", memory::information),
    ("allocator statistics", memory::allocator_statistics),
    ("empty cache", memory::empty_cache),
    ("host memory", memory::host_memory),
    ("streams and events", streams::order),
    ("page-locked copy", copies::page_locked),
    ("CUDA graph", streams::graph),
    ("cuDNN attention", attention::cudnn),
    ("flash attention", attention::flash),
    ("memory-efficient attention", attention::memory_efficient),
    ("math attention", attention::math),
];

/// Tries everything on `device`; needs 2 GiB of its memory at most. A check that fails does not stop the others.
pub fn check(device: Device) -> impl Iterator<Item = Check> {
    CHECKS.into_iter().map(move |(name, check)| {
        let outcome = match catch(|| Ok(check(device))) {
            Ok(Ok(Some(detail))) => Outcome::Ok { detail },
            Ok(Ok(None)) => Outcome::NotOnThisDevice,
            Ok(Err(reason)) => Outcome::Failed { reason },
            Err(error) => Outcome::Failed {
                reason: error.to_string(),
            },
        };
        Check { name, outcome }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_torch_is_a_failed_check() {
        let outcomes: Vec<Check> = check(Device::Cuda(99)).collect();
        assert_eq!(outcomes.len(), CHECKS.len());
        let failed = |name: &str| {
            outcomes
                .iter()
                .any(|c| c.name == name && matches!(c.outcome, Outcome::Failed { .. }))
        };
        assert!(failed("streams and events") && failed("math attention"));
    }
}
