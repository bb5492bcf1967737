//! Why the store can't be used, with a code and what to do about it.

use std::{io, path::PathBuf};

use framepack_ipc::{ErrorBody, control::Note};
use framepack_jobs::{Code, JobId};
use thiserror::Error;

/// Why the store can't be used.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error("the store failed: {0}")]
    Sled(#[from] sled::Error),
    #[error("the store is damaged: {0}")]
    Panicked(String),
    #[error("the store is damaged: {} is empty and lacks even its version", .0.display())]
    Emptied(PathBuf),
    #[error("the store's journal can't be written: {0}")]
    Journal(io::Error),
    #[error("the store can't be prepared: {0}")]
    Io(#[from] io::Error),
    #[error(
        "{folder} has {free} MiB free, but the store needs {needed} MiB to be opened safely",
        folder = folder.display(), free = free_bytes >> 20, needed = needed_bytes.div_ceil(1 << 20)
    )]
    NoSpace {
        folder: PathBuf,
        needed_bytes: u64,
        free_bytes: u64,
    },
    #[error(
        "the record of job {job} in the store can't be read, and the journal does not have it: {error}"
    )]
    Record { job: JobId, error: String },
    #[error(
        "the store is damaged, and so is its journal: {damaged_lines} lines of it can't be read, and jobs may be missing"
    )]
    BothDamaged { damaged_lines: u64 },
    #[error(
        "the store was written by a newer framepackd (schema {found}; this version supports {supported})"
    )]
    Newer { found: u64, supported: u64 },
}

impl StoreError {
    /// Whether the database's files are at fault.
    pub(super) fn is_damage(&self) -> bool {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match self {
            Self::Panicked(_) | Self::Emptied(_) => true,
            Self::Sled(sled::Error::Io(error)) => {
                matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
            }
            Self::Sled(error) => matches!(
                error,
                sled::Error::Corruption { .. } | sled::Error::ReportableBug(_)
            ),
            _ => false,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::NoSpace { .. } => Code::STORE_NO_SPACE,
            Self::Record { .. }
            | Self::Panicked(_)
            | Self::Emptied(_)
            | Self::BothDamaged { .. }
            | Self::Newer { .. } => Code::STORE_UNREADABLE,
            Self::Sled(_) if self.is_damage() => Code::STORE_UNREADABLE,
            Self::Sled(_) | Self::Journal(_) | Self::Io(_) => Code::STORE_FAILED,
        }
    }

    /// The error as it is shown while it lasts.
    pub(crate) fn note(&self) -> Note {
        let note = Note::new(self.code(), self.to_string());
        match self {
            Self::Newer { .. } => Note {
                hint: Some(
                    "install the version of framepackd that wrote it, or a later one".to_owned(),
                ),
                ..note
            },
            _ => note,
        }
    }
}

impl From<StoreError> for ErrorBody {
    fn from(error: StoreError) -> Self {
        error.note().into()
    }
}
