//! Exit codes of framepackctl and of `framepackd state`: a contract with scripts.

use std::process::ExitCode;

use framepack_jobs::{Class, Job, StateName};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to complain of.
    Ok = 0,
    /// A failure that has no number of its own.
    Failure = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The daemon can't be reached.
    Unreachable = 3,
    /// There is no such job.
    NotFound = 4,
    /// The configuration or a role forbids it.
    NotPermitted = 5,
    /// The job file is wrong.
    Invalid = 6,
    /// A job that was waited for failed.
    JobFailed = 7,
    /// A job that was waited for was cancelled.
    JobCancelled = 8,
    /// `--timeout` passed.
    Timeout = 9,
    /// Not possible in the job's state, or while a daemon runs.
    Conflict = 10,
    /// Disk or memory is short, or the queue is full.
    NoResource = 11,
    /// Client and daemon are of different versions.
    Protocol = 12,
    /// A check of `doctor` failed.
    Degraded = 13,
    /// The store is damaged.
    StateDamaged = 14,
    /// A user interrupted the command, and the job goes on: the shell's number for SIGINT, which only `run` and `top` catch.
    Interrupted = 130,
}

impl Exit {
    /// How waiting for these jobs ended: a failed one outweighs a cancelled one.
    pub fn of_finished<'j>(jobs: impl IntoIterator<Item = &'j Job>) -> Self {
        jobs.into_iter()
            .fold(Self::Ok, |worst, job| match (job.state.name(), worst) {
                (StateName::Failed | StateName::Expired, _) => Self::JobFailed,
                (StateName::Cancelled, Self::Ok) => Self::JobCancelled,
                _ => worst,
            })
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Usage => Self::Usage,
            Class::Unreachable => Self::Unreachable,
            Class::NotFound => Self::NotFound,
            Class::Policy => Self::NotPermitted,
            Class::Validation => Self::Invalid,
            Class::Timeout => Self::Timeout,
            Class::Conflict => Self::Conflict,
            Class::Resource => Self::NoResource,
            Class::Protocol => Self::Protocol,
            Class::State => Self::StateDamaged,
            _ => Self::Failure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
