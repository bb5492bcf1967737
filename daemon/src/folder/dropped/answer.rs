//! The one answer to the question whether a dropped file is a job, and what it is instead.

use std::time::{Duration, Instant};

use framepack_jobs::{Failure, Problem, ProblemKind, Problems};

/// When something of the daemon's own failed, it is tried again after this long.
pub(crate) const RETRY: Duration = Duration::from_secs(2);

/// A job, or what else it is.
pub(crate) type Answer<T> = Result<T, NoJob>;

/// Why a file is no job.
#[derive(Debug)]
pub(crate) enum NoJob {
    /// Not yet.
    Wait(Wait),
    /// It never can be, as it is.
    Refuse(Rejection),
    /// The daemon itself failed, and would fail for other files, too.
    Ours(Failure),
}

/// It can become one later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) why: String,
    /// When it is looked at again.
    pub(crate) until: Instant,
}

/// What is wrong with a job file.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) failure: Failure,
    /// Each mistake in the file, when it is the file that is wrong.
    pub(crate) problems: Vec<Problem>,
}

impl From<Wait> for NoJob {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

impl From<Rejection> for NoJob {
    fn from(rejection: Rejection) -> Self {
        Self::Refuse(rejection)
    }
}

impl From<Failure> for NoJob {
    fn from(failure: Failure) -> Self {
        Self::Refuse(failure.into())
    }
}

impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            problems: Vec::new(),
        }
    }
}

impl From<Problems> for Rejection {
    fn from(problems: Problems) -> Self {
        let problems: Vec<Problem> = problems.iter().cloned().collect();
        let kind = problems
            .first()
            .map_or(ProblemKind::Syntax, |problem| problem.kind);
        let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let hints: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.hint.as_deref())
            .collect();
        let failure = Failure {
            hint: (!hints.is_empty()).then(|| hints.join("\n")),
            ..Failure::new(kind.into(), messages.join("\n"))
        };
        Self { failure, problems }
    }
}
