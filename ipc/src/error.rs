//! Errors as they cross the socket and appear in JSON: stable code, class, words, hint, place.

use std::fmt;

use framepack_jobs::{Failure, FailureClass, Problem, ProblemKind, settings::UnknownSetting};
use serde::{Deserialize, Serialize};

/// What kind of error it is; framepackctl's exit code goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorClass {
    /// The command line or the configuration is wrong.
    Usage,
    /// The daemon can't be reached.
    Unreachable,
    /// There is no such job, device or state.
    NotFound,
    /// The configuration forbids it.
    Policy,
    /// The job file is wrong.
    Validation,
    /// `--timeout` passed.
    Timeout,
    /// Not possible in the job's state, or while another daemon runs.
    Conflict,
    /// Disk or memory is short, or the queue is full.
    Resource,
    /// Client and daemon do not understand each other.
    Protocol,
    /// The store is damaged.
    State,
    /// A bug, or a broken installation.
    Internal,
    /// A class of a later version.
    #[serde(other)]
    Unknown,
}

/// Errors with a code of their own; those of job files have [`ProblemKind::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The command line is wrong.
    Usage,
    /// The daemon can't be reached.
    Unreachable,
    /// There is no such job.
    NoSuchJob,
    /// There is no worker for the device.
    NoSuchDevice,
    /// A file that a job or a command needs can't be read.
    UnreadableFile,
    /// A file that a command makes can't be written.
    UnwritableFile,
    /// Another job has the key that the job file names.
    KeyTaken,
    /// `--timeout` passed.
    Timeout,
    /// Client and daemon speak different protocols.
    ProtocolMismatch,
    /// A message that is too long, or no message at all.
    BadMessage,
    /// The store lacked something and was repaired.
    StoreRepaired,
    /// The store can't be written.
    StoreFailed,
    /// Too little space is free for the store to be opened.
    StoreNoSpace,
    /// The store can't be read.
    StoreUnreadable,
    /// The store was not there any more.
    StoreLost,
    /// Too little space is free for the next job.
    DiskFull,
    /// The daemon is stopping.
    ShuttingDown,
    /// The socket is there, but not for this user.
    SocketNotPermitted,
    /// The client's role does not include the request.
    NotPermitted,
    /// More connections than one user, or all of them, may have.
    TooManyConnections,
    /// A message was not there in time.
    TooSlow,
    /// No worker is up.
    NoWorker,
    /// A worker is up and did not answer in time, or died.
    WorkerSilent,
    /// The job has ended.
    JobEnded,
    /// There are as many jobs as there may be.
    QueueFull,
    /// The configuration can't be read.
    ConfigUnreadable,
    /// The configuration is wrong.
    ConfigInvalid,
    /// Jobs, state and outputs are not apart from each other.
    FoldersOverlap,
    /// A folder of the configuration can't be used.
    FolderUnusable,
    /// Another daemon has the state directory.
    StateInUse,
    /// The state directory belongs to another user.
    StateForeign,
    /// There is no state directory.
    StateMissing,
    /// Another daemon answers at the socket.
    SocketInUse,
    /// The socket can't be made.
    SocketUnusable,
    /// There is no worker program.
    WorkerMissing,
    /// `socket` names a user or group that the system does not know.
    PrincipalUnknown,
    /// The bundle's `framepack.json` can't be used.
    BundleInvalid,
    /// Anything else.
    Internal,
}

impl ErrorCode {
    /// The code, `FP` and four digits.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "FP1001",
            Self::Unreachable => "FP1002",
            Self::NoSuchJob => "FP1003",
            Self::KeyTaken => "FP1004",
            Self::Timeout => "FP1005",
            Self::ProtocolMismatch => "FP1006",
            Self::BadMessage => "FP1007",
            Self::ShuttingDown => "FP1008",
            Self::SocketNotPermitted => "FP1009",
            Self::NoWorker => "FP1010",
            Self::WorkerSilent => "FP1011",
            Self::JobEnded => "FP1012",
            Self::NotPermitted => "FP1013",
            Self::TooManyConnections => "FP1014",
            Self::TooSlow => "FP1015",
            Self::QueueFull => "FP1020",
            Self::NoSuchDevice => "FP1030",
            Self::UnreadableFile => "FP2108",
            Self::UnwritableFile => "FP2109",
            Self::StoreRepaired => "FP4001",
            Self::StoreFailed => "FP4002",
            Self::StoreNoSpace => "FP4003",
            Self::StoreUnreadable => "FP4004",
            Self::StoreLost => "FP4005",
            Self::DiskFull => "FP4006",
            Self::ConfigUnreadable => "FP8001",
            Self::ConfigInvalid => "FP8002",
            Self::FoldersOverlap => "FP8003",
            Self::FolderUnusable => "FP8004",
            Self::StateInUse => "FP8005",
            Self::StateForeign => "FP8006",
            Self::StateMissing => "FP8007",
            Self::SocketInUse => "FP8008",
            Self::SocketUnusable => "FP8009",
            Self::WorkerMissing => "FP8010",
            Self::PrincipalUnknown => "FP8011",
            Self::BundleInvalid => "FP8012",
            Self::Internal => "FP9001",
        }
    }

    /// The error's class.
    pub fn class(self) -> ErrorClass {
        match self {
            Self::Usage
            | Self::ConfigUnreadable
            | Self::ConfigInvalid
            | Self::FoldersOverlap
            | Self::WorkerMissing
            | Self::PrincipalUnknown
            | Self::BundleInvalid => ErrorClass::Usage,
            Self::Unreachable | Self::ShuttingDown => ErrorClass::Unreachable,
            Self::NoSuchJob | Self::NoSuchDevice | Self::StateMissing => ErrorClass::NotFound,
            Self::SocketNotPermitted | Self::NotPermitted | Self::StateForeign => {
                ErrorClass::Policy
            }
            Self::UnreadableFile | Self::UnwritableFile => ErrorClass::Validation,
            Self::KeyTaken | Self::JobEnded | Self::StateInUse | Self::SocketInUse => {
                ErrorClass::Conflict
            }
            Self::NoWorker
            | Self::TooManyConnections
            | Self::QueueFull
            | Self::StoreFailed
            | Self::StoreNoSpace
            | Self::DiskFull
            | Self::FolderUnusable
            | Self::SocketUnusable => ErrorClass::Resource,
            Self::Timeout | Self::WorkerSilent | Self::TooSlow => ErrorClass::Timeout,
            Self::ProtocolMismatch | Self::BadMessage => ErrorClass::Protocol,
            Self::StoreRepaired | Self::StoreUnreadable | Self::StoreLost => ErrorClass::State,
            Self::Internal => ErrorClass::Internal,
        }
    }
}

/// An error for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable code, `FP` and four digits.
    pub code: String,
    /// What kind of error.
    pub class: ErrorClass,
    /// What failed, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The key of the job file, or the file, that is at fault.
    pub path: Option<String>,
}

impl ErrorBody {
    /// An error without hint and path.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            class: code.class(),
            message: message.into(),
            hint: None,
            path: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the key or file at fault.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

impl From<&Problem> for ErrorBody {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.kind.code().to_owned(),
            class: match problem.kind {
                ProblemKind::PathEscape => ErrorClass::Policy,
                _ => ErrorClass::Validation,
            },
            message: problem.to_string(),
            hint: problem.hint.clone(),
            path: (!problem.path.is_empty()).then(|| problem.path.clone()),
        }
    }
}

impl From<Failure> for ErrorBody {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code,
            class: match failure.class {
                FailureClass::Input => ErrorClass::Validation,
                FailureClass::Policy => ErrorClass::Policy,
                FailureClass::Oom => ErrorClass::Resource,
                _ => ErrorClass::Internal,
            },
            message: failure.message,
            hint: failure.hint,
            path: None,
        }
    }
}

impl From<UnknownSetting> for ErrorBody {
    fn from(unknown: UnknownSetting) -> Self {
        let error = Self::new(ErrorCode::Usage, unknown.to_string());
        match unknown.near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`config show` without a key lists all"),
        }
    }
}

impl std::error::Error for ErrorBody {}

impl fmt::Display for ErrorBody {
    /// `FP2103: line 4, column 8: steps: 500 is not in 1 to 100`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
