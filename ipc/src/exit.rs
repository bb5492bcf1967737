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
    /// A file is wrong, or can't be read or written; or what is asked for is impossible together.
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

#[cfg(test)]
mod tests {
    use framepack_jobs::{Code, Failure};

    use super::*;
    use crate::ErrorBody;

    fn exit(code: Code) -> Exit {
        ErrorBody::new(code, "").class.into()
    }

    /// Numbers are a contract: what a user can put right about files is 6, what the farm's rules forbid is 5.
    #[test]
    fn faults_of_files_are_6_and_what_is_forbidden_is_5() {
        for code in Code::all().filter(|code| code.as_str().starts_with("FP2")) {
            let expected = match code.class() {
                Class::Policy => Exit::NotPermitted,
                _ => Exit::Invalid,
            };
            assert_eq!(exit(code), expected, "{code}");
        }
        for code in [Code::UNREADABLE_FILE, Code::UNWRITABLE_FILE] {
            assert_eq!(exit(code), Exit::Invalid, "{code}");
        }
    }

    /// Of the worker and the queue jobs die, which is 7 for those who wait for them; a command that says so itself has the
    /// number of the class.
    #[test]
    fn faults_of_the_worker_and_the_queue_are_those_of_their_class() {
        for code in Code::all().filter(|code| code.as_str().starts_with("FP7")) {
            let expected = match code.class() {
                Class::Policy => Exit::NotPermitted,
                Class::Oom => Exit::NoResource,
                Class::Internal | Class::Hang | Class::Gpu | Class::Cancelled => Exit::Failure,
                class => panic!("{code} has a class that no job has: {class}"),
            };
            assert_eq!(exit(code), expected, "{code}");
            assert!(Class::OF_JOBS.contains(&Failure::new(code, "").class));
        }
    }
}
