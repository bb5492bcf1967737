//! The one owner of all jobs. Everybody else sends it messages through a [`QueueHandle`].
//!
//! Each change is written and synced before it is answered or acted upon (`commit`), so a crash between any two steps
//! repeats harmlessly. What came while the store synced shares the next sync.

mod assign;
mod change;
mod commit;
mod end;
mod handle;
mod index;
mod records;
mod recover;
mod report;
mod retry;
mod run;
mod schedule;
mod scheduler;
mod submit;
mod summary;
mod sweep;
mod view;
mod yielding;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::ControlFlow,
    sync::Arc,
    time::Duration,
};

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    queue::{ChangeRequest, Changed, QueueView},
    state::Imported,
    worker::WorkerInfo,
};
use framepack_jobs::{Job, JobId, Selector, StateName, Timestamp, Unmatched, select};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

pub(crate) use end::is_kept;
pub(crate) use handle::{QueueHandle, Stopping};
pub(crate) use records::exported;
pub(crate) use run::{Assignment, Control, Death, DeathKind, Ending, WorkerReport};
pub(crate) use submit::{Submission, SubmitError, Submitted};
pub(crate) use summary::Summary;

use self::{
    commit::{Deferred, Unanswered},
    index::Index,
    scheduler::{PAUSES, SchedulerState},
};
use crate::{
    gpu::Gpus,
    inputs::Inputs,
    record::Record,
    render::Renderer,
    spool,
    store::{Store, StoreError},
};

/// Events that a slow watcher may fall behind before it has to look at the job again.
const EVENT_BACKLOG: usize = 1024;
/// Messages that are answered with one sync.
const MAX_BATCH: usize = 1024;
/// How often the store is tried again when nothing happens.
const ASSIGN_RETRY: Duration = Duration::from_secs(5);

/// The same where nothing depends on the time.
const IDLE_PATIENCE: Duration = Duration::from_hours(1);

/// What others ask of the queue.
#[derive(Debug)]
enum Message {
    Submit(
        Box<Submission>,
        oneshot::Sender<Result<Submitted, SubmitError>>,
    ),
    Record(JobId, oneshot::Sender<Option<Box<Record>>>),
    ByClaim(String, oneshot::Sender<Option<Arc<Record>>>),
    Next(IdleWorker),
    WorkerReport(JobId, WorkerReport),
    Worker(WorkerStatus),
    Workers(oneshot::Sender<Vec<WorkerStatus>>),
    End(JobId, Box<Ending>, oneshot::Sender<()>),
    Change(
        Box<ChangeRequest>,
        oneshot::Sender<Result<Vec<Changed>, Unmatched>>,
    ),
    View(oneshot::Sender<QueueView>),
    List(Vec<StateName>, oneshot::Sender<Vec<Job>>),
    Select(Vec<Selector>, oneshot::Sender<Result<Vec<Job>, Unmatched>>),
    Counts(oneshot::Sender<BTreeMap<StateName, u64>>),
    RecordsAfter(JobId, usize, oneshot::Sender<Vec<Record>>),
    Import(Box<Record>, oneshot::Sender<Imported>),
    Show(JobId, oneshot::Sender<Option<Job>>),
    Summary(oneshot::Sender<Summary>),
    Stop(oneshot::Sender<()>),
}

/// A worker without work.
#[derive(Debug)]
struct IdleWorker {
    worker: WorkerInfo,
    reply: oneshot::Sender<Assignment>,
}

/// A running job's line to its worker.
#[derive(Debug)]
struct RunningJob {
    control: mpsc::UnboundedSender<Control>,
    /// What the device had taken when the run began; `None`: it does not tell.
    energy_joules: Option<f64>,
}

/// All jobs and who works on them.
#[derive(Debug)]
pub(crate) struct Queue {
    store: Store,
    renderer: Renderer,
    gpus: Gpus,
    jobs: BTreeMap<JobId, Record>,
    index: Index,
    /// Wait for the next commit.
    deferred: Vec<Deferred>,
    submissions: Vec<Unanswered>,
    /// Why the store can't be written, while that is so.
    trouble: Option<String>,
    scheduler: SchedulerState,
    last_id: JobId,
    /// Jobs that may be queued or running at a time.
    max_jobs: u64,
    running: HashMap<JobId, RunningJob>,
    idle: VecDeque<IdleWorker>,
    workers: BTreeMap<String, WorkerStatus>,
    events: broadcast::Sender<Arc<Job>>,
    finished: std::sync::mpsc::Sender<spool::Event>,
}

impl Queue {
    /// Takes what is in the store and puts back into the queue what was running when the last daemon ended.
    /// Every job that ends from now on is sent to `finished`, for its file to be filed.
    pub(crate) async fn open(
        (store, records): (Store, Vec<Record>),
        inputs: &Inputs,
        renderer: Renderer,
        max_jobs: u64,
        finished: std::sync::mpsc::Sender<spool::Event>,
    ) -> Result<Self, StoreError> {
        let mut queue = Self::of_store((store, records), renderer, max_jobs, finished)?;
        queue.recover(inputs).await?;
        Ok(queue)
    }

    /// Takes what is in the store, as it is.
    pub(crate) fn of_store(
        (store, records): (Store, Vec<Record>),
        renderer: Renderer,
        max_jobs: u64,
        finished: std::sync::mpsc::Sender<spool::Event>,
    ) -> Result<Self, StoreError> {
        let scheduler = SchedulerState::new(store.note(PAUSES)?.unwrap_or_default());
        let mut queue = Self {
            last_id: store.last_id(),
            jobs: records
                .into_iter()
                .map(|record| (record.job.id, record))
                .collect(),
            store,
            renderer,
            gpus: Gpus::default(),
            index: Index::default(),
            deferred: Vec::new(),
            submissions: Vec::new(),
            trouble: None,
            max_jobs,
            scheduler,
            running: HashMap::new(),
            idle: VecDeque::new(),
            workers: BTreeMap::new(),
            events: broadcast::channel(EVENT_BACKLOG).0,
            finished,
        };
        for record in queue.jobs.values() {
            queue.index.note(record);
        }
        Ok(queue)
    }

    /// Serves messages until it is told to stop. Returns the way to it, and its task.
    pub(crate) fn start(self) -> (QueueHandle, JoinHandle<()>) {
        let (messages, inbox) = mpsc::channel(MAX_BATCH);
        let handle = QueueHandle::new(messages, self.events.clone());
        (handle, tokio::spawn(self.serve(inbox)))
    }

    async fn serve(mut self, mut inbox: mpsc::Receiver<Message>) {
        loop {
            match timeout(self.patience(), inbox.recv()).await {
                Ok(Some(message)) => {
                    if self.answer_all(message, &mut inbox).is_break() {
                        self.commit().await;
                        return;
                    }
                }
                Ok(None) => return,
                // Nothing new: what the store did not take is tried again.
                Err(_) => {}
            }
            self.commit().await;
            self.assign();
            self.commit().await;
        }
    }

    /// How long to wait for a message before the jobs that wait are looked at again. A clock that is set forward is
    /// noticed within [`ASSIGN_RETRY`].
    fn patience(&self) -> Duration {
        let now = Timestamp::now();
        match self.scheduler.due {
            Some(due) if due > now => {
                ASSIGN_RETRY.min(Duration::from_secs_f64(due.secs_since(now)))
            }
            Some(_) => ASSIGN_RETRY,
            None if self.trouble.is_some() || self.scheduler.no_room.is_some() => ASSIGN_RETRY,
            None => IDLE_PATIENCE,
        }
    }

    /// Does what a message asks, and those that came meanwhile. Breaks off when one of them asks to stop.
    fn answer_all(
        &mut self,
        first: Message,
        inbox: &mut mpsc::Receiver<Message>,
    ) -> ControlFlow<()> {
        self.answer(first)?;
        for _ in 1..MAX_BATCH {
            match inbox.try_recv() {
                Ok(message) => self.answer(message)?,
                Err(_) => break,
            }
        }
        ControlFlow::Continue(())
    }

    /// Does what a message asks. Breaks off when it asks to stop.
    fn answer(&mut self, message: Message) -> ControlFlow<()> {
        // A receiver may have gone away: a client that hung up.
        match message {
            Message::Submit(submission, reply) => {
                self.submit(*submission, reply);
            }
            Message::Record(job, reply) => {
                let _ = reply.send(self.jobs.get(&job).cloned().map(Box::new));
            }
            Message::ByClaim(claim, reply) => {
                let record = self.index.by_claim(&claim).map(|id| &self.jobs[&id]);
                let _ = reply.send(record.cloned().map(Arc::new));
            }
            Message::Next(idle) => {
                self.idle.push_back(idle);
                self.scheduler.may_begin = true;
            }
            Message::WorkerReport(job, report) => self.report(job, report),
            Message::Worker(status) => {
                if status.state == WorkerState::Starting {
                    // A new process has loaded nothing yet.
                    self.scheduler.warm.remove(&status.device);
                }
                self.workers.insert(status.device.clone(), status);
            }
            Message::Workers(reply) => {
                let _ = reply.send(self.workers.values().cloned().collect());
            }
            Message::End(job, ending, reply) => {
                self.end(job, *ending);
                self.reply_when_durable(reply, ());
            }
            Message::Change(request, reply) => {
                let changed = self.change(*request);
                self.reply_when_durable(reply, changed);
            }
            Message::View(reply) => self.tell(reply, self.view()),
            Message::List(states, reply) => self.tell(reply, self.list(&states)),
            Message::Select(selectors, reply) => {
                let jobs = self.jobs.values().map(|record| &record.job);
                let selected = select(&selectors, jobs);
                let selected = selected.map(|jobs| jobs.into_iter().cloned().collect());
                self.tell(reply, selected);
            }
            Message::Counts(reply) => self.tell(reply, self.counts()),
            Message::RecordsAfter(job, limit, reply) => {
                let _ = reply.send(self.records_after(job, limit));
            }
            Message::Import(record, reply) => {
                let imported = self.import(*record);
                self.reply_when_durable(reply, imported);
            }
            Message::Show(job, reply) => {
                let _ = reply.send(self.jobs.get(&job).map(|record| record.job.clone()));
            }
            Message::Summary(reply) => {
                let _ = reply.send(self.summary());
            }
            Message::Stop(reply) => {
                self.reply_when_durable(reply, ());
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn announce(&self, id: JobId) {
        if self.events.receiver_count() > 0
            && let Some(record) = self.jobs.get(&id)
        {
            // Fails only when the last watcher has just left.
            let _ = self.events.send(Arc::new(record.job.clone()));
        }
    }
}
