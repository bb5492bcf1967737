//! Why a file can't be a job's input, and what its owner can do about it.

use std::{io, path::PathBuf};

use framepack_jobs::{Code, Failure};
use thiserror::Error;

use super::MAX_INPUT_BYTES;

/// Why a file can't be an input.
#[derive(Debug, Error)]
pub(crate) enum InputError {
    #[error("{path} does not exist")]
    Missing { path: PathBuf },
    #[error("{path} lies outside the folders that jobs may read ({})", list(.roots))]
    Outside { path: PathBuf, roots: Vec<PathBuf> },
    #[error("{path} is a symbolic link or lies behind one")]
    Link { path: PathBuf },
    #[error("{path} lies on another file system than {root}, the folder that jobs may read")]
    OtherFileSystem { path: PathBuf, root: PathBuf },
    #[error("{path} is not a regular file")]
    NotRegular { path: PathBuf },
    #[error("{path} has {found} bytes, more than the {MAX_INPUT_BYTES} that are read")]
    TooLarge { path: PathBuf, found: u64 },
    #[error("reading {path}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("copying {path} into the state directory: {error}")]
    Copy { path: PathBuf, error: io::Error },
}

fn list(roots: &[PathBuf]) -> String {
    let roots: Vec<_> = roots
        .iter()
        .map(|root| root.display().to_string())
        .collect();
    roots.join(", ")
}

impl InputError {
    /// The failure of the job that named the file.
    pub(crate) fn into_failure(self, key: &str) -> Failure {
        let code = match &self {
            Self::Missing { .. } => Code::PICTURE_MISSING,
            Self::Outside { .. } => Code::PICTURE_OUTSIDE,
            Self::Link { .. } => Code::PICTURE_LINK,
            Self::NotRegular { .. } => Code::PICTURE_SPECIAL,
            Self::OtherFileSystem { .. } => Code::PICTURE_OTHER_FILE_SYSTEM,
            Self::TooLarge { .. } => Code::PICTURE_FILE_TOO_LARGE,
            Self::Read { .. } => Code::PICTURE_NOT_READ,
            Self::Copy { .. } => Code::PICTURE_NOT_COPIED,
        };
        Failure::new(code, format!("{key}: {self}"))
    }
}
