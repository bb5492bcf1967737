//! What the queue and the supervisors tell each other about a run.

use framepack_ipc::worker::{PauseAt, RenderRequest, RungTaken, WorkerInfo};
use framepack_jobs::{Failure, Progress, RenderOutput, RenderPlan};
use tokio::sync::{mpsc, oneshot};

use crate::record::Kept;

/// A worker without work.
#[derive(Debug)]
pub(in crate::queue) struct IdleWorker {
    pub(in crate::queue) worker: WorkerInfo,
    pub(in crate::queue) reply: oneshot::Sender<Assignment>,
}

/// A job for a worker.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) request: RenderRequest,
    /// What users want of the job while it runs. Ends with the assignment.
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    /// Its device is wanted by others when its window ends: its worker keeps nothing after it.
    pub(crate) gives_back: bool,
}

/// What a user wants of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// Stop at the next step; there will be no video.
    Cancel,
    /// Stop at the next step; another run makes a video of the sections that there are.
    Keep,
    /// Halt at the next boundary of this kind.
    Pause(PauseAt),
    /// Go on after a halt at a step.
    Resume,
}

/// What a worker says while it renders.
#[derive(Debug)]
pub(crate) enum WorkerReport {
    Started(RenderPlan),
    Progress(Progress),
    /// So many sections are durable on the disk: a later run continues after them.
    Checkpoint(u32),
    /// So much is durable on the disk: a later run does not make it again.
    Kept(Kept),
    /// The worker ran out of memory and goes on with this rung of its ladder.
    Rung(RungTaken),
    /// It halts, with all its memory.
    Paused,
    /// It goes on after a halt.
    Resumed,
}

/// How an assignment ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Done(Box<RenderOutput>),
    Failed(Failure),
    Cancelled,
    /// It stopped at a section's checkpoint, as it was asked to; a later run continues there.
    Suspended,
    WorkerDied(Death),
    /// The daemon is stopping, or the worker was gone before it had the job: it goes back into the queue.
    Interrupted,
}

/// How a worker died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) kind: DeathKind,
    /// In words, with its last ones.
    pub(crate) how: String,
}

/// What a worker died of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeathKind {
    /// By itself.
    Crash,
    /// It made no step for too long and was killed.
    Hang,
    /// The kernel killed it for want of memory.
    OutOfMemoryKill,
    /// A file that it had mapped could no longer be read.
    LostFile,
}
