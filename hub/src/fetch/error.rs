//! Why a file did not come.

use std::{io, path::PathBuf};

use framepack_ipc::ErrorBody;
use framepack_jobs::{Bytes, Code};

use crate::{
    api::ApiError,
    output::size,
    target::{is_disk_full, is_unwritable},
};

/// A file that is not there, or not what the Hub has.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Twice, from the first byte on.
    #[error(
        "{path} came twice with bytes that are not the Hub's: expected {expected}, got {found}"
    )]
    Hash {
        path: String,
        expected: String,
        found: String,
    },
    /// Nor will there be, as long as nothing is removed.
    #[error("{} are missing, and {} has room for {}", size(*.missing_bytes), folder.display(), size(*.free_bytes))]
    NoRoom {
        folder: PathBuf,
        missing_bytes: u64,
        free_bytes: u64,
    },
    /// The disk is full.
    #[error("disk is full: {path}: {error}; {} of it are kept", Bytes(*.kept_bytes))]
    DiskFull {
        path: PathBuf,
        kept_bytes: u64,
        error: io::Error,
    },
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    /// A folder where a file is to be.
    #[error("{} is a folder, where a file of the models is to be", path.display())]
    Obstacle { path: PathBuf },
    /// Another file failed, so this one was not gone on with.
    #[error("stopped, because another file failed")]
    Stopped,
}

impl FetchError {
    /// What reading or writing `path` failed with.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| {
            if !is_disk_full(&error) {
                return Self::File { path, error };
            }
            Self::DiskFull {
                kept_bytes: std::fs::metadata(&path).map_or(0, |file| file.len()),
                path,
                error,
            }
        }
    }
}

impl From<FetchError> for ErrorBody {
    fn from(error: FetchError) -> Self {
        let message = error.to_string();
        match error {
            FetchError::Api(error) => error.into(),
            FetchError::Hash { .. } => Self::new(Code::FETCH_HASH, message),
            FetchError::NoRoom { .. } | FetchError::DiskFull { .. } => Self::new(Code::FETCH_SPACE, message),
            FetchError::File { error, .. } if is_unwritable(&error) => {
                Self::new(Code::MODEL_FOLDER, message).hint(
                    "check the permissions; or name another folder with `--to DIR`, or another cache with HF_HOME",
                )
            }
            FetchError::File { .. } => Self::new(Code::MODEL_FOLDER, message),
            FetchError::Obstacle { .. } => Self::new(Code::MODEL_FOLDER, message)
                .hint("move it away; then run the same command again"),
            FetchError::Stopped => Self::new(Code::INTERNAL, message),
        }
    }
}
