//! Why a job does not fit, with the numbers.
//!
//! It is not in `plan/`, which returns it, because [`Error`](super::engine::Error) holds it: `offload/` returns that, and
//! `plan/` imports `offload/`.

use std::fmt;

use framepack_jobs::{Bytes, Code};
use thiserror::Error;

/// What one part of a job needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The part, for people.
    pub part: &'static str,
    /// Its bytes.
    pub bytes: u64,
}

/// The needs of a phase, which must fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs(pub Vec<Need>);

impl Needs {
    /// From pairs of part and bytes; parts that need nothing are left out.
    pub fn new(parts: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        let needs = parts.into_iter().map(|(part, bytes)| Need { part, bytes });
        Self(needs.filter(|need| need.bytes > 0).collect())
    }

    /// Their sum.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|need| need.bytes).sum()
    }
}

impl fmt::Display for Needs {
    /// `3.91 GiB (CUDA context 0.60 GiB, activations 1.38 GiB, …)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", Bytes(self.bytes()))?;
        for (i, need) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{} {}", need.part, Bytes(need.bytes))?;
        }
        write!(f, ")")
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The device is too small, or others use too much of it, even with every block streamed.
    #[error("{phase} needs at least {needs} of device memory, but only {} of {} are available ({} used by other programs)",
        Bytes(*free_bytes), Bytes(*total_bytes), Bytes(*foreign_bytes))]
    Device {
        /// What was to be done.
        phase: &'static str,
        /// The least that it needs.
        needs: Needs,
        /// What there is for it.
        free_bytes: u64,
        /// What the device has.
        total_bytes: u64,
        /// What other processes use.
        foreign_bytes: u64,
    },
    /// It would fit, but not with as much kept free as the settings ask for.
    #[error("memory.preserve_gb keeps {} free; with that, sampling needs at least {needs} of device memory, but only {} are available",
        Bytes(*preserve_bytes), Bytes(*free_bytes))]
    Preserve {
        /// What was to be kept free.
        preserve_bytes: u64,
        /// The least that is needed then.
        needs: Needs,
        /// What there is.
        free_bytes: u64,
    },
    /// A split that was asked for does not fit.
    #[error("{resident_blocks} resident blocks and {slots} slots need {needs} of device memory, but only {} are available", Bytes(*free_bytes))]
    ForcedSplit {
        /// Blocks that were to stay.
        resident_blocks: usize,
        /// Slots for the others.
        slots: usize,
        /// What the split needs.
        needs: Needs,
        /// What there is.
        free_bytes: u64,
    },
    /// A split that was asked for is none.
    #[error(
        "{resident_blocks} resident blocks and {slots} slots are not a valid split of {blocks} blocks"
    )]
    NoSplit {
        /// Blocks that were to stay.
        resident_blocks: usize,
        /// Slots for the others.
        slots: usize,
        /// Blocks that there are.
        blocks: usize,
    },
    /// The host has no room for the buffers through which weights are streamed.
    #[error("streaming needs at least {} of page-locked host memory, but only {} may be used", Bytes(*needed_bytes), Bytes(*budget_bytes))]
    Host {
        /// The staging ring.
        needed_bytes: u64,
        /// What may be used.
        budget_bytes: u64,
    },
}

impl PlanError {
    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::Device { .. } => Code::DOES_NOT_FIT,
            Self::Preserve { .. } => Code::PRESERVED_MEMORY,
            Self::ForcedSplit { .. } => Code::SPLIT_TOO_LARGE,
            Self::NoSplit { .. } => Code::SPLIT_IMPOSSIBLE,
            Self::Host { .. } => Code::HOST_MEMORY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_listed_with_their_sum() {
        let gib = 1 << 30;
        let needs = Needs::new([("context", gib / 2), ("nothing", 0), ("blocks", 3 * gib)]);
        assert_eq!(
            needs.to_string(),
            "3.50 GiB (context 0.50 GiB, blocks 3.00 GiB)"
        );
    }
}
