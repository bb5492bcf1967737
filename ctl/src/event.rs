//! What happens while a job is followed.

use framepack_ipc::client::ClientError;
use framepack_jobs::Job;
use nix::sys::signal::Signal;

/// What is waited for.
#[derive(Debug)]
pub(crate) enum Event {
    /// The job is like this now.
    Job(Box<Job>),
    /// It has ended.
    End,
    /// The daemon is away, or back again.
    Contact(String),
    /// The daemon tells nothing any more.
    Lost(ClientError),
    /// The process got this.
    Signal(Signal),
    /// A user has answered whether the job is to go on.
    Answered(Answer),
}

impl From<Signal> for Event {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

/// What a user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The job goes on.
    Leave,
    /// The job is cancelled.
    Cancel,
}

/// Whose daemon renders the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// It was there before.
    Shared,
    /// It was started for the job.
    Own,
    /// It was started for the job by a framepackctl that has left it: it ends with the job, and nobody starts it again.
    Left,
}
