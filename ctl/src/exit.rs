//! Exit codes: a contract with scripts.

use std::process::ExitCode;

use framepack_ipc::ErrorClass;
use framepack_jobs::{Job, StateName};

/// How a command ended. 130 (interrupted) is the shell's word for SIGINT, which is not caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    Unreachable = 3,
    NotFound = 4,
    NotPermitted = 5,
    Invalid = 6,
    JobFailed = 7,
    JobCancelled = 8,
    Timeout = 9,
    Conflict = 10,
    NoResource = 11,
    Protocol = 12,
    Degraded = 13,
    StateDamaged = 14,
}

impl Exit {
    /// How waiting for these jobs ended: a failed one outweighs a cancelled one.
    pub(crate) fn of_finished<'j>(jobs: impl IntoIterator<Item = &'j Job>) -> Self {
        jobs.into_iter()
            .fold(Self::Ok, |worst, job| match (job.state.name(), worst) {
                (StateName::Failed | StateName::Expired, _) => Self::JobFailed,
                (StateName::Cancelled, Self::Ok) => Self::JobCancelled,
                _ => worst,
            })
    }
}

impl From<ErrorClass> for Exit {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Usage => Self::Usage,
            ErrorClass::Unreachable => Self::Unreachable,
            ErrorClass::NotFound => Self::NotFound,
            ErrorClass::Policy => Self::NotPermitted,
            ErrorClass::Validation => Self::Invalid,
            ErrorClass::Timeout => Self::Timeout,
            ErrorClass::Conflict => Self::Conflict,
            ErrorClass::Resource => Self::NoResource,
            ErrorClass::Protocol => Self::Protocol,
            ErrorClass::State => Self::StateDamaged,
            _ => Self::Failure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
