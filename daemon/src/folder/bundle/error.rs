//! Why a bundle can't become a job.

use std::{io, path::PathBuf};

use framepack_jobs::{Code, Failure, on_one_line};
use thiserror::Error;

use super::limits::{MAX_BYTES, MAX_ENTRIES, MAX_RATIO};
use crate::folder::dropped::NoJob;

/// What is wrong with a bundle.
#[derive(Debug, Error)]
pub(crate) enum BundleError {
    #[error("bundle entry `{name}` points outside the bundle")]
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
    #[error("the bundle has {}; it must have exactly one, beside its images", job_files(.found))]
    NotOneJob { found: Vec<String> },
    #[error("the bundle was still being written after it had looked complete")]
    Changed,
    #[error("unpacking into {}: {error}", path.display())]
    Unpack { path: PathBuf, error: io::Error },
}

fn job_files(names: &[String]) -> String {
    match names {
        [] => "no job file".to_owned(),
        names => format!("{} job files ({})", names.len(), some_of(names)),
    }
}

/// The first of many names, on one line.
pub(super) fn some_of(names: &[String]) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| on_one_line(name))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl BundleError {
    /// The failure of the bundle.
    fn into_failure(self) -> Failure {
        let code = match &self {
            Self::Outside { .. } => Code::BUNDLE_OUTSIDE,
            Self::Special { .. } => Code::BUNDLE_SPECIAL,
            Self::TooMany | Self::TooLarge => Code::BUNDLE_TOO_LARGE,
            Self::Damaged { .. } => Code::BUNDLE_DAMAGED,
            Self::NotOneJob { .. } => Code::BUNDLE_NOT_ONE_JOB,
            Self::Changed => Code::BUNDLE_CHANGED,
            Self::Unpack { .. } => Code::BUNDLE_NOT_UNPACKED,
        };
        Failure::new(code, self.to_string())
    }
}

impl From<BundleError> for NoJob {
    fn from(error: BundleError) -> Self {
        // The daemon is at fault when it can't write, and not the bundle.
        let is_ours = matches!(error, BundleError::Unpack { .. });
        let failure = error.into_failure();
        if is_ours {
            Self::Ours(failure)
        } else {
            failure.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::limits::MAX_DEPTH, *};

    #[test]
    fn the_table_of_errors_has_the_limits() {
        let depth = format!("at most {MAX_DEPTH} folders");
        assert!(Code::BUNDLE_OUTSIDE.hint().contains(&depth));
        let mib = MAX_BYTES >> 20;
        let limits = format!(
            "more than {MAX_ENTRIES} entries, or unpacks to more than {mib} MiB or {MAX_RATIO} times"
        );
        assert!(Code::BUNDLE_TOO_LARGE.meaning().contains(&limits));
    }
}
