//! Why the daemon does not start, with a code and what to do about it.

use std::{io, path::PathBuf};

use framepack_config::Overlap;
use framepack_ipc::{ErrorBody, control::Note};
use framepack_jobs::{Code, FileError};
use thiserror::Error;

use crate::store::StoreError;

/// Why the daemon does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration can't be read, or is wrong.
    #[error("{0}")]
    Config(FileError),
    /// The bundle's `framepack.json` can't be read, or is wrong.
    #[error("{0}")]
    Bundle(FileError),
    /// Behind links, jobs, state and outputs are not apart from each other.
    #[error("{key}: {overlap}", key = .0.key, overlap = .0)]
    Overlap(Overlap),
    /// A folder of the configuration can't be used.
    #[error("{doing} {}: {error}", path.display())]
    Folder {
        /// As in `creating`.
        doing: &'static str,
        /// The folder, or a file in it.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Paths in records and messages are UTF-8.
    #[error("{} is not UTF-8, which paths in job records have to be", path.display())]
    NotUtf8 {
        /// The folder.
        path: PathBuf,
    },
    /// Another daemon runs in the state directory.
    #[error("another framepackd uses this state directory ({} is locked)", lock.display())]
    StateInUse {
        /// The lock.
        lock: PathBuf,
    },
    /// Nothing would keep a second daemon out.
    #[error("{} can't be locked: {error}", lock.display())]
    StateWithoutLocks {
        /// The lock.
        lock: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// What is written there as this user would not be the daemon's.
    #[error("{} is owned by uid {owner}, but the daemon runs as uid {user}", path.display())]
    StateForeign {
        /// The state directory.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// This process' user.
        user: u32,
    },
    /// There is no state directory to look at.
    #[error("no state directory at {}", path.display())]
    StateMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another daemon answers at the socket.
    #[error("another framepackd answers at {}", path.display())]
    SocketInUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something else is in the socket's place.
    #[error("{} exists and is not a socket", path.display())]
    NoSocket {
        /// The socket.
        path: PathBuf,
    },
    /// The socket can't be made.
    #[error("listening at {}: {error}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// There is no worker program.
    #[error("no worker program at {}", program.display())]
    NoWorker {
        /// Where it should be.
        program: PathBuf,
    },
    /// A role is given to a user or group that the system does not know.
    #[error("{key}: {reason}")]
    Principal {
        /// As in `socket.admin`.
        key: String,
        /// Who is unknown, or why the system does not say.
        reason: String,
    },
    /// The store can't be written.
    #[error("{}", .0.message)]
    Store(Note),
    /// What should not happen.
    #[error("{doing}: {error}")]
    System {
        /// As in `listening for SIGTERM`.
        doing: &'static str,
        /// The system's reason.
        error: io::Error,
    },
}

impl StartError {
    fn code(&self) -> Code {
        match self {
            Self::Config(FileError::Unreadable { .. }) => Code::CONFIG_UNREADABLE,
            Self::Config(FileError::Invalid { .. }) => Code::CONFIG_INVALID,
            Self::Overlap(_) => Code::FOLDERS_OVERLAP,
            Self::Folder { .. } | Self::NotUtf8 { .. } => Code::FOLDER_UNUSABLE,
            Self::StateInUse { .. } => Code::STATE_IN_USE,
            Self::StateWithoutLocks { .. } => Code::STATE_WITHOUT_LOCKS,
            Self::StateForeign { .. } => Code::STATE_FOREIGN,
            Self::StateMissing { .. } => Code::STATE_MISSING,
            Self::SocketInUse { .. } => Code::SOCKET_IN_USE,
            Self::NoSocket { .. } | Self::Socket { .. } => Code::SOCKET_UNUSABLE,
            Self::NoWorker { .. } => Code::WORKER_MISSING,
            Self::Principal { .. } => Code::PRINCIPAL_UNKNOWN,
            Self::Bundle(_) => Code::START_MODEL_DEFAULTS,
            Self::Store(_) | Self::System { .. } => Code::INTERNAL,
        }
    }
}

impl From<&StartError> for ErrorBody {
    fn from(error: &StartError) -> Self {
        match error {
            StartError::Store(note) => note.clone().into(),
            _ => Self::new(error.code(), error.to_string()),
        }
    }
}

impl From<StartError> for ErrorBody {
    fn from(error: StartError) -> Self {
        Self::from(&error)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.note())
    }
}
