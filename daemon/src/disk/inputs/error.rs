//! Why a file can't be a job's input, and what its owner can do about it.

use std::{io, path::PathBuf};

use framepack_jobs::{Code, Failure, picture::Unfit};
use thiserror::Error;

use crate::disk::lanes::Silent;

/// Largest image taken; the largest sensible one (64 megapixels, TIFF with 16 bits a channel) is smaller.
pub(super) const MAX_INPUT_BYTES: u64 = 512 << 20;

/// Why a file can't be an input.
#[derive(Debug, Error)]
pub(crate) enum InputError {
    #[error("{path} does not exist")]
    Missing { path: PathBuf },
    #[error("{path} is outside the folders that jobs may read ({})", list(.roots))]
    Outside { path: PathBuf, roots: Vec<PathBuf> },
    #[error("{path} is a symbolic link, or is reached through one")]
    Link { path: PathBuf },
    #[error("{path} is on a different file system from {root}, the folder that jobs may read")]
    OtherFileSystem { path: PathBuf, root: PathBuf },
    #[error("{path} is not a regular file")]
    NotRegular { path: PathBuf },
    #[error("{path} has {found} bytes; at most {MAX_INPUT_BYTES} are accepted")]
    TooLarge { path: PathBuf, found: u64 },
    #[error("{path} {unfit}")]
    Unfit { path: PathBuf, unfit: Unfit },
    #[error("reading {path}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("{path} changed while it was read")]
    Changed { path: PathBuf },
    #[error(transparent)]
    Silent(#[from] Silent),
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
    /// Whether it may be otherwise at the next look.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Changed { .. } | Self::Silent(_))
    }

    /// The file that it is about.
    pub(crate) fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Missing { path }
            | Self::Outside { path, .. }
            | Self::Link { path }
            | Self::OtherFileSystem { path, .. }
            | Self::NotRegular { path }
            | Self::TooLarge { path, .. }
            | Self::Unfit { path, .. }
            | Self::Read { path, .. }
            | Self::Changed { path }
            | Self::Copy { path, .. } => Some(path),
            Self::Silent(_) => None,
        }
    }

    /// The failure of the job that named the file.
    pub(crate) fn into_failure(self, key: &str) -> Failure {
        let code = match &self {
            Self::Missing { .. } => Code::IMAGE_MISSING,
            Self::Outside { .. } => Code::IMAGE_OUTSIDE,
            Self::Link { .. } => Code::IMAGE_LINK,
            Self::NotRegular { .. } => Code::IMAGE_SPECIAL,
            Self::OtherFileSystem { .. } => Code::IMAGE_OTHER_FILE_SYSTEM,
            Self::TooLarge { .. } => Code::IMAGE_FILE_TOO_LARGE,
            Self::Unfit { unfit, .. } => unfit.code(),
            Self::Read { .. } | Self::Changed { .. } => Code::IMAGE_NOT_READ,
            Self::Silent(_) => Code::SHARE_SILENT,
            Self::Copy { .. } => Code::IMAGE_NOT_COPIED,
        };
        let hint = match &self {
            Self::Unfit { unfit, .. } => unfit.hint(),
            _ => None,
        };
        Failure::new(code, format!("{key}: {self}")).hinting(hint)
    }
}
