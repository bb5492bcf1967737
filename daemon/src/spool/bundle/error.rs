//! Why a bundle can't become a job.

use std::{io, path::PathBuf};

use framepack_jobs::{Failure, FailureClass};
use thiserror::Error;

use super::{MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, MAX_RATIO};

/// What is wrong with a bundle.
#[derive(Debug, Error)]
pub(in crate::spool) enum BundleError {
    #[error("`{name}` in the bundle leads out of it")]
    Outside { name: String },
    #[error("`{name}` in the bundle is {kind}")]
    Special { name: String, kind: &'static str },
    #[error("the bundle has more than {MAX_ENTRIES} files and folders")]
    TooMany,
    #[error(
        "the bundle unpacks to more than {} MiB, or to more than {MAX_RATIO} times its size",
        MAX_BYTES >> 20
    )]
    TooLarge,
    #[error("the bundle can't be read: {reason}")]
    Damaged { reason: String },
    #[error("the bundle has {found} job files; it must have exactly one, beside its images")]
    NotOneJob { found: usize },
    #[error("the bundle was still being written after it had looked complete")]
    Changed,
    #[error("unpacking into {}: {error}", path.display())]
    Unpack { path: PathBuf, error: io::Error },
}

impl BundleError {
    /// Whether the daemon is at fault, and not the bundle.
    pub(in crate::spool) fn is_ours(&self) -> bool {
        matches!(self, Self::Unpack { .. })
    }

    /// The failure of the bundle.
    pub(in crate::spool) fn into_failure(self) -> Failure {
        let (class, code) = match &self {
            Self::Outside { .. } => (FailureClass::Policy, "FP2411"),
            Self::Special { .. } => (FailureClass::Policy, "FP2412"),
            Self::TooMany | Self::TooLarge => (FailureClass::Input, "FP2413"),
            Self::Damaged { .. } => (FailureClass::Input, "FP2414"),
            Self::NotOneJob { .. } => (FailureClass::Input, "FP2415"),
            Self::Changed => (FailureClass::Input, "FP2416"),
            Self::Unpack { .. } => (FailureClass::Io, "FP5015"),
        };
        let hint = match &self {
            Self::Outside { .. } => format!(
                "pack the job file and its pictures by plain names, in at most {MAX_DEPTH} folders below each other"
            ),
            Self::Special { .. } => {
                "pack the files themselves: no links, pipes or devices".to_owned()
            }
            Self::TooMany | Self::TooLarge => {
                "pack one job file and the pictures that it names, and nothing else".to_owned()
            }
            Self::Damaged { .. } => {
                "pack it again: a .zip without a password, or a .tar.zst".to_owned()
            }
            Self::NotOneJob { .. } => {
                "put one .yaml at its top; of many jobs, make a bundle each".to_owned()
            }
            Self::Changed => {
                "write it into .incoming/ of the jobs folder and rename it when it is complete"
                    .to_owned()
            }
            Self::Unpack { .. } => "check space and permissions of paths.state".to_owned(),
        };
        Failure {
            class,
            code: code.to_owned(),
            message: self.to_string(),
            hint: Some(hint),
        }
    }
}
