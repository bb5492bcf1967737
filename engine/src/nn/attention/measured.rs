//! How fast the fused kernels were on a device, and which of them compute what math does: a record, as the choice file
//! keeps it.

use serde::{Deserialize, Serialize};

use super::backend::Backend;

/// What was found for one class of shapes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Length of the sequence that was tried.
    pub(super) tokens: u64,
    /// The kernels that were tried.
    pub(super) candidates: Vec<Candidate>,
}

/// One kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Candidate {
    pub(super) backend: Backend,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Outcome {
    /// It computes what math does.
    Passed {
        /// Time of one attention.
        micros: u64,
    },
    /// It can't be used.
    Failed {
        /// Why, with its name.
        failed: String,
    },
}

impl Measured {
    /// Whether all of these were tried.
    pub(super) fn covers(&self, backends: &[Backend]) -> bool {
        backends.iter().all(|backend| self.was_tried(*backend))
    }

    /// Whether this one was.
    pub(super) fn was_tried(&self, backend: Backend) -> bool {
        self.candidates.iter().any(|tried| tried.backend == backend)
    }

    /// Those that passed, the fastest first.
    pub(super) fn passed(&self) -> Vec<Backend> {
        let mut passed: Vec<(u64, Backend)> = self
            .candidates
            .iter()
            .filter_map(|tried| match tried.outcome {
                Outcome::Passed { micros } => Some((micros, tried.backend)),
                Outcome::Failed { .. } => None,
            })
            .collect();
        passed.sort_by_key(|(micros, _)| *micros);
        passed.into_iter().map(|(_, backend)| backend).collect()
    }

    /// Why the others did not.
    pub(super) fn failures(&self) -> Vec<String> {
        let failures = self
            .candidates
            .iter()
            .filter_map(|tried| match &tried.outcome {
                Outcome::Passed { .. } => None,
                Outcome::Failed { failed } => Some(failed.clone()),
            });
        failures.collect()
    }
}
