//! The one owner of all jobs. Everybody else sends it messages through a [`QueueHandle`].
//!
//! Each change is written and synced before it is answered or acted upon, so a crash between any two steps
//! repeats harmlessly.

mod assign;
mod end;
mod handle;
mod submit;
mod summary;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::ControlFlow,
    sync::Arc,
    time::Duration,
};

use framepack_ipc::{
    control::{CancelOutcome, WorkerStatus},
    worker::{PauseAt, RenderRequest, RungTaken, WorkerInfo},
};
use framepack_jobs::{
    Failure, Job, JobId, JobState, Progress, RenderOutput, RenderPlan, StateName, Timestamp,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tracing::{error, info};

pub(crate) use handle::{QueueHandle, Stopping};
pub(crate) use submit::{Submission, SubmitError, Submitted};
pub(crate) use summary::Summary;

use crate::{
    inputs::Inputs,
    render::{Renderer, clear_leftovers},
    spool,
    store::{Record, Store, StoreError},
};

/// Events that a slow watcher may fall behind before it has to look at the job again.
const EVENT_BACKLOG: usize = 1024;
/// How often a waiting job is offered to the idle workers when nothing happens.
const ASSIGN_RETRY: Duration = Duration::from_secs(5);

/// What others ask of the queue.
#[derive(Debug)]
enum Message {
    Submit(
        Box<Submission>,
        oneshot::Sender<Result<Submitted, SubmitError>>,
    ),
    Record(JobId, oneshot::Sender<Option<Box<Record>>>),
    ByClaim(String, oneshot::Sender<Option<Arc<Record>>>),
    Next(Idle),
    Report(JobId, Report),
    Worker(WorkerStatus),
    Workers(oneshot::Sender<Vec<WorkerStatus>>),
    End(JobId, Box<Ending>, oneshot::Sender<()>),
    Cancel(JobId, oneshot::Sender<Option<(Box<Job>, CancelOutcome)>>),
    List(oneshot::Sender<Vec<Job>>),
    Show(JobId, oneshot::Sender<Option<Job>>),
    Summary(oneshot::Sender<Summary>),
    Stop(oneshot::Sender<()>),
}

/// A worker without work.
#[derive(Debug)]
struct Idle {
    worker: WorkerInfo,
    reply: oneshot::Sender<Assignment>,
}

/// A job for a worker.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) request: RenderRequest,
    /// What users want of the job while it runs. Ends with the assignment.
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
}

/// What a user wants of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// Stop at the next step; there will be no video.
    Cancel,
    /// Halt at the next boundary of this kind.
    Pause(PauseAt),
    /// Go on after a halt at a step.
    Resume,
}

/// What a worker says while it renders.
#[derive(Debug)]
pub(crate) enum Report {
    Started(RenderPlan),
    Progress(Progress),
    /// So many sections are durable on the disk: a later run continues after them.
    Checkpoint(u32),
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
}

/// A running job's line to its worker.
#[derive(Debug)]
struct Running {
    control: mpsc::UnboundedSender<Control>,
}

/// All jobs and who works on them.
#[derive(Debug)]
pub(crate) struct Queue {
    store: Store,
    renderer: Renderer,
    jobs: BTreeMap<JobId, Record>,
    /// The latest job of each key.
    keys: HashMap<String, JobId>,
    claims: HashMap<String, JobId>,
    last_id: JobId,
    /// Jobs that may be queued or running at a time.
    max_jobs: u64,
    running: HashMap<JobId, Running>,
    idle: VecDeque<Idle>,
    workers: BTreeMap<String, WorkerStatus>,
    events: broadcast::Sender<Arc<Job>>,
    finished: std::sync::mpsc::Sender<spool::Event>,
}

impl Queue {
    /// Reads the store and puts back into the queue what was running when the last daemon ended.
    /// Every job that ends from now on is sent to `finished`, for its file to be put away.
    pub(crate) async fn open(
        store: Store,
        inputs: &Inputs,
        renderer: Renderer,
        max_jobs: u64,
        finished: std::sync::mpsc::Sender<spool::Event>,
    ) -> Result<Self, StoreError> {
        let mut queue = Self {
            last_id: store.last_id()?,
            jobs: store
                .all()?
                .into_iter()
                .map(|record| (record.job.id, record))
                .collect(),
            store,
            renderer,
            max_jobs,
            keys: HashMap::new(),
            claims: HashMap::new(),
            running: HashMap::new(),
            idle: VecDeque::new(),
            workers: BTreeMap::new(),
            events: broadcast::channel(EVENT_BACKLOG).0,
            finished,
        };
        for (id, record) in &queue.jobs {
            queue.keys.insert(record.job.key.clone(), *id);
            queue
                .claims
                .extend(record.private.claim.clone().map(|claim| (claim, *id)));
        }
        queue.recover(inputs).await?;
        Ok(queue)
    }

    /// Serves messages until it is told to stop. Returns the way to it, and its task.
    pub(crate) fn start(self) -> (QueueHandle, JoinHandle<()>) {
        let (messages, inbox) = mpsc::channel(64);
        let handle = QueueHandle::new(messages, self.events.clone());
        (handle, tokio::spawn(self.serve(inbox)))
    }

    async fn serve(mut self, mut inbox: mpsc::Receiver<Message>) {
        loop {
            match timeout(ASSIGN_RETRY, inbox.recv()).await {
                Ok(Some(message)) => {
                    if self.answer(message).await.is_break() {
                        return;
                    }
                }
                Ok(None) => return,
                // Nothing new: a job that the store did not let begin is tried again.
                Err(_) => {}
            }
            self.assign().await;
        }
    }

    /// Does what a message asks. Breaks off when it asks to stop.
    async fn answer(&mut self, message: Message) -> ControlFlow<()> {
        // A receiver that has gone away (a client that hung up) is no concern of ours.
        match message {
            Message::Submit(submission, reply) => {
                let _ = reply.send(self.submit(*submission).await);
            }
            Message::Record(job, reply) => {
                let _ = reply.send(self.jobs.get(&job).cloned().map(Box::new));
            }
            Message::ByClaim(claim, reply) => {
                let record = self.claims.get(&claim).and_then(|id| self.jobs.get(id));
                let _ = reply.send(record.cloned().map(Arc::new));
            }
            Message::Next(idle) => self.idle.push_back(idle),
            Message::Report(job, report) => self.report(job, report),
            Message::Worker(status) => {
                self.workers.insert(status.device.clone(), status);
            }
            Message::Workers(reply) => {
                let _ = reply.send(self.workers.values().cloned().collect());
            }
            Message::End(job, ending, reply) => {
                self.end(job, *ending).await;
                let _ = reply.send(());
            }
            Message::Cancel(job, reply) => {
                let _ = reply.send(self.cancel(job).await);
            }
            Message::List(reply) => {
                let _ = reply.send(
                    self.jobs
                        .values()
                        .map(|record| record.job.clone())
                        .collect(),
                );
            }
            Message::Show(job, reply) => {
                let _ = reply.send(self.jobs.get(&job).map(|record| record.job.clone()));
            }
            Message::Summary(reply) => {
                let _ = reply.send(self.summary());
            }
            Message::Stop(reply) => {
                self.sync().await;
                let _ = reply.send(());
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// After a crash: every running job is queued again, its half-written video removed.
    async fn recover(&mut self, inputs: &Inputs) -> Result<(), StoreError> {
        let interrupted: Vec<JobId> = self
            .jobs
            .values()
            .filter(|record| record.job.is(StateName::Running))
            .map(|record| record.job.id)
            .collect();
        for id in interrupted {
            let record = self.jobs.get_mut(&id).expect("collected from the same map");
            clear_leftovers(&record.job);
            let next = if record.private.cancel_requested {
                JobState::Cancelled {
                    finished_at: Timestamp::now(),
                }
            } else {
                JobState::Queued
            };
            info!(job = %id, attempts = record.job.attempts, state = %next.name(), "was running when the daemon ended");
            record
                .job
                .transition(next)
                .expect("a running job may become queued or cancelled");
            self.store.put(record)?;
        }
        self.store.sync().await?;
        let needed: Vec<_> = self
            .jobs
            .values()
            .filter(|record| !record.job.is_finished())
            .map(|record| record.private.input.as_path())
            .collect();
        if let Err(error) = inputs.keep_only(&needed) {
            error!(%error, "removing start images that no job needs");
        }
        Ok(())
    }

    /// Writes and syncs a job's record and tells the watchers.
    async fn persist(&mut self, id: JobId) -> Result<(), StoreError> {
        let record = &self.jobs[&id];
        self.store.put(record)?;
        self.store.sync().await?;
        self.announce(id);
        Ok(())
    }

    fn announce(&self, id: JobId) {
        if self.events.receiver_count() > 0 {
            // Fails only when the last watcher has just left.
            let _ = self.events.send(Arc::new(self.jobs[&id].job.clone()));
        }
    }

    async fn sync(&self) {
        if let Err(error) = self.store.sync().await {
            error!(%error, "syncing the store");
        }
    }
}
