//! What a worker is good for, after a job or without one.

use framepack_jobs::Failure;

use super::{faults::Cause, process::Unkillable};

/// How to go on with a worker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It can have another job.
    Ready,
    /// The same, and it has finished one: its device works.
    Finished,
    /// It has to be replaced.
    Replace(ReplaceReason),
    /// The daemon is stopping.
    Stop,
}

/// Why a worker has to be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReplaceReason {
    /// It has rendered `worker.recycle_after` jobs.
    Recycled,
    /// It died, or had to be killed; whether its device may be to blame.
    Dead { how: String, fault: Option<Cause> },
    /// It can't work until the farm is mended.
    Outage(Box<Failure>),
    /// It can't even be killed.
    Stuck(Unkillable),
}
