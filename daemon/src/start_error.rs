//! Why the daemon does not start, with a code and what to do about it.

use std::{io, path::PathBuf};

use framepack_config::Overlap;
use framepack_ipc::{ErrorBody, ErrorCode, control::Note};
use framepack_jobs::FileError;
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
    fn code_and_hint(&self) -> (ErrorCode, &'static str) {
        match self {
            Self::Config(FileError::Unreadable { .. }) => (
                ErrorCode::ConfigUnreadable,
                "name the configuration with --config FILE; its keys are in config/framepackd.yaml",
            ),
            Self::Config(FileError::Invalid { .. }) => (
                ErrorCode::ConfigInvalid,
                "`framepackd --config FILE --check-config` tries it without starting",
            ),
            Self::Overlap(_) => (
                ErrorCode::FoldersOverlap,
                "set paths.jobs, paths.state and paths.outputs to folders apart from each other",
            ),
            Self::Folder { .. } | Self::NotUtf8 { .. } => (
                ErrorCode::FolderUnusable,
                "correct the path in the configuration, or let the daemon's user write there",
            ),
            Self::StateInUse { .. } => (
                ErrorCode::StateInUse,
                "stop it, or set another paths.state; while it runs, `framepackctl state` is the way to its store",
            ),
            Self::StateForeign { .. } => (
                ErrorCode::StateForeign,
                "run it as the daemon's user, as in `sudo -u framepackd framepackd state check`",
            ),
            Self::StateMissing { .. } => (
                ErrorCode::StateMissing,
                "check paths.state; a first start of framepackd, or an import, makes one",
            ),
            Self::SocketInUse { .. } => (
                ErrorCode::SocketInUse,
                "stop it, or set another paths.socket",
            ),
            Self::NoSocket { .. } => (
                ErrorCode::SocketUnusable,
                "remove what is there, or set another paths.socket",
            ),
            Self::Socket { .. } => (
                ErrorCode::SocketUnusable,
                "a socket's path has at most 107 bytes, and its folder must be the daemon's to write; see paths.socket",
            ),
            Self::NoWorker { .. } => (ErrorCode::WorkerMissing, "build it, or set worker.program"),
            Self::Principal { .. } => (
                ErrorCode::PrincipalUnknown,
                "create it, or correct the name",
            ),
            Self::Bundle(_) => (
                ErrorCode::BundleInvalid,
                "correct the bundle's framepack.json, or fetch it again",
            ),
            Self::Store(_) | Self::System { .. } => (ErrorCode::Internal, "report it with the log"),
        }
    }
}

impl From<&StartError> for ErrorBody {
    fn from(error: &StartError) -> Self {
        let (code, hint) = error.code_and_hint();
        let body = Self::new(code, error.to_string()).hint(hint);
        match error {
            StartError::Store(note) => Self {
                code: note.code.clone(),
                hint: note.hint.clone(),
                ..body
            },
            _ => body,
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
