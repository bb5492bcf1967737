//! The queue's task: it answers messages, and does what they ask once that is durable.
//!
//! Each change is written and synced before it is answered or acted upon, so a crash between any two steps repeats
//! harmlessly. What came while the store synced shares the next sync. It waits for nothing but the store: what takes
//! the other disks' time is done by tasks, whose results are messages.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use framepack_config::Models;
use framepack_ipc::state::Imported;
use framepack_jobs::{Job, JobId, StateName};
use serde_json::Value;
use tokio::{
    join,
    sync::{broadcast, mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use super::{
    answer::answer,
    core::{Queue, log_state},
    ending::{end_run, ended, leftovers, recover, refiled},
    handle::QueueHandle,
    jobs::{Jobs, exported, import},
    message::Message,
    outbox::{Clearing, Delivery, Outbox},
    runs::{Ending, Runs},
    schedule::Schedule,
    start::assign,
    windows::{close_windows, has_end},
};
use crate::{
    clock::Clock,
    disk::{Disk, Posted, Preparation, SilentShares},
    gpu::Gpus,
    history::History,
    record::Record,
    render::Renderer,
    store::{Store, StoreError},
};

/// Events that a slow watcher may fall behind before it has to look at the job again.
const EVENT_BACKLOG: usize = 1024;
/// Messages that are answered with one sync.
const MAX_BATCH: usize = 1024;
/// How often the store is tried again when nothing happens. A clock that is set forward is noticed within this time.
const RETRY: Duration = Duration::from_secs(5);
/// How long an answer may wait for the disks.
const MOMENT: Duration = Duration::from_millis(50);
/// How often jobs are looked at where nothing depends on the time.
const IDLE_PATIENCE: Duration = Duration::from_hours(1);

/// What the queue needs of the daemon.
#[derive(Debug)]
pub(crate) struct QueueConfig {
    pub(crate) renderer: Renderer,
    pub(crate) disk: Disk,
    pub(crate) gpus: Gpus,
    pub(crate) clock: Clock,
    /// Jobs that may be queued or running at a time.
    pub(crate) max_jobs: u64,
    /// Every job that ends from now on is sent there.
    pub(crate) ended: std::sync::mpsc::Sender<Arc<Record>>,
}

/// The queue's task.
#[derive(Debug)]
pub(crate) struct Actor {
    queue: Queue,
    disk: Disk,
    events: broadcast::Sender<Arc<Job>>,
    ended: std::sync::mpsc::Sender<Arc<Record>>,
}

impl Actor {
    /// Takes what is in the store, and puts back into the queue what was running when the last daemon ended.
    pub(crate) async fn open(
        opened: (Store, Vec<Record>),
        config: QueueConfig,
    ) -> Result<Self, StoreError> {
        let mut actor = Self::of_store(opened, config)?;
        recover(&mut actor.queue);
        actor.queue.jobs.commit().await?;
        for record in refiled(&actor.queue) {
            // Fails once the daemon stops.
            let _ = actor.ended.send(Arc::new(record.clone()));
        }
        let (ended, needed) = leftovers(&actor.queue);
        actor.disk.recover(ended, needed).await;
        Ok(actor)
    }

    /// Takes what is in the store, as it is.
    pub(crate) fn of_store(
        (store, records): (Store, Vec<Record>),
        config: QueueConfig,
    ) -> Result<Self, StoreError> {
        let jobs = Jobs::new(store, records);
        Ok(Self {
            queue: Queue {
                schedule: Schedule::open(&jobs, config.disk.silent())?,
                history: History::of(jobs.all().values(), config.renderer.bundle),
                jobs,
                runs: Runs::on(config.gpus),
                outbox: Outbox::default(),
                renderer: config.renderer,
                clock: config.clock,
                max_jobs: config.max_jobs,
            },
            disk: config.disk,
            events: broadcast::channel(EVENT_BACKLOG).0,
            ended: config.ended,
        })
    }

    /// Takes an export's lines while nobody serves the queue; durable when this returns.
    pub(crate) async fn import_all(
        &mut self,
        lines: Vec<Value>,
    ) -> Result<Vec<Imported>, StoreError> {
        let mut outcomes = Vec::new();
        for line in lines {
            outcomes.push(match exported(line) {
                Ok(record) => {
                    let has_image = record.private.input.is_file();
                    import(&mut self.queue.jobs, record, has_image)
                }
                Err(refused) => refused,
            });
        }
        self.queue.jobs.commit().await?;
        Ok(outcomes)
    }

    /// Serves messages until it is told to stop. Returns the way to it, and its task.
    pub(crate) fn start(self) -> (QueueHandle, JoinHandle<()>) {
        let (messages, inbox) = mpsc::channel(MAX_BATCH);
        tokio::spawn(tell_shares(self.disk.silent(), messages.downgrade()));
        let handle = QueueHandle::new(
            messages.clone(),
            self.events.clone(),
            self.disk.clone(),
            self.queue.renderer.clone(),
        );
        (
            handle,
            tokio::spawn(self.serve(inbox, messages.downgrade())),
        )
    }

    async fn serve(mut self, mut inbox: mpsc::Receiver<Message>, own: mpsc::WeakSender<Message>) {
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
            close_windows(&mut self.queue);
            if self.queue.schedule.wants_look() {
                let models = self.queue.renderer.models.clone();
                tokio::spawn(look(self.disk.clone(), models, own.clone()));
            }
            for wanted in assign(&mut self.queue) {
                let gpus = self.queue.runs.gpus().clone();
                tokio::spawn(prepare(self.disk.clone(), gpus, wanted, own.clone()));
            }
            self.commit().await;
        }
    }

    /// How long to wait for a message before the jobs that wait are looked at again.
    fn patience(&self) -> Duration {
        let of_schedule = self.queue.schedule.patience(RETRY);
        let of_store = self.queue.outbox.trouble().map(|_| RETRY);
        let mut running = self.queue.jobs.running();
        let has_end = running.any(|record| has_end(&record.job));
        let of_windows = has_end.then_some(RETRY);
        let all = [of_schedule, of_store, of_windows].into_iter().flatten();
        all.min().unwrap_or(IDLE_PATIENCE)
    }

    /// Does what a message asks, and those that came meanwhile. Breaks off when one of them asks to stop.
    fn answer_all(
        &mut self,
        first: Message,
        inbox: &mut mpsc::Receiver<Message>,
    ) -> ControlFlow<()> {
        answer(&mut self.queue, first)?;
        for _ in 1..MAX_BATCH {
            match inbox.try_recv() {
                Ok(message) => answer(&mut self.queue, message)?,
                Err(_) => break,
            }
        }
        ControlFlow::Continue(())
    }

    /// Makes all changes durable with one sync, then does what waited for it.
    async fn commit(&mut self) {
        self.queue.jobs.reopen().await;
        // What is done may change jobs, too.
        while self.queue.jobs.has_changes() || !self.queue.outbox.is_empty() {
            if let Err(error) = self.queue.jobs.commit().await {
                self.refuse_submissions(&error.to_string());
                self.queue.outbox.note_trouble(Some(error.to_string()));
                return;
            }
            let deliveries = self.queue.outbox.take();
            let clearings = self.queue.outbox.take_clearings();
            let posted = clearings.iter().flat_map(|clearing| self.clear(clearing));
            wait_a_moment(posted.collect()).await;
            for submission in self.queue.outbox.take_submissions() {
                submission.accept();
            }
            for delivery in deliveries {
                self.deliver(delivery);
            }
        }
        // What is durable in the journal alone is durable, but a full disk is no time to begin jobs.
        let failure = self.queue.jobs.failure().map(ToString::to_string);
        self.queue.outbox.note_trouble(failure);
    }

    /// Takes back the jobs that nobody was told of yet, so that no later daemon finds a job whose submitter was
    /// refused.
    fn refuse_submissions(&mut self, why: &str) {
        for submission in self.queue.outbox.take_submissions() {
            let untold = submission.refuse(why);
            if let Some(record) = untold.and_then(|id| self.queue.jobs.take_back(id)) {
                self.disk.remove_input(&record.private.input);
            }
        }
    }

    /// Has removed from the disks what is needed no more.
    fn clear(&self, clearing: &Clearing) -> Vec<Posted> {
        match clearing {
            Clearing::Ended(id) => {
                let record = self.queue.jobs.get(*id);
                // It may wait for another run.
                let record = record.filter(|record| record.job.is_finished());
                record.map_or_else(Vec::new, |record| {
                    let now = self.queue.clock.sure();
                    self.disk.ended(&ended(record, now))
                })
            }
            Clearing::Leftovers(output) => vec![self.disk.clear_leftovers(output)],
            Clearing::Checkpoints(id) => vec![self.disk.clear_checkpoints(*id)],
            Clearing::Release(id, output) => vec![self.disk.release(*id, output)],
            Clearing::RemoveInput(input) => vec![self.disk.remove_input(input)],
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Answer(answer) => answer.send(),
            Delivery::Announce(id) => self.announce(id),
            Delivery::Assign(id, reply, assignment) => {
                let is_gone = reply.send(*assignment).is_err();
                let job = self.queue.jobs.get(id).map(|record| &record.job);
                if is_gone && job.is_some_and(|job| job.is(StateName::Running)) {
                    // The worker went away in this very moment: its job is queued again.
                    end_run(&mut self.queue, id, Ending::Interrupted);
                }
            }
            Delivery::RunEnded(id) => self.run_ended(id),
        }
    }

    fn announce(&self, id: JobId) {
        if self.events.receiver_count() > 0
            && let Some(record) = self.queue.jobs.get(id)
        {
            // Fails only when the last watcher has just left.
            let _ = self.events.send(Arc::new(record.job.clone()));
        }
    }

    /// Whoever put a job there is told that it has ended.
    fn run_ended(&mut self, id: JobId) {
        let Some(record) = self.queue.jobs.get(id) else {
            return;
        };
        log_state(record);
        if record.job.is_finished() {
            // Fails only while the daemon stops; the next one files it when it starts.
            let _ = self.ended.send(Arc::new(record.clone()));
            self.queue.schedule.note_ended(id);
        }
    }
}

/// Waits for the disks, so that whoever hears that a job has ended finds nothing of it; what takes longer is done later.
async fn wait_a_moment(posted: Vec<Posted>) {
    let all_done = async {
        for posted in posted {
            posted.done().await;
        }
    };
    let _ = timeout(MOMENT, all_done).await;
}

/// Has a job prepared, and says how that went.
async fn prepare(disk: Disk, gpus: Gpus, wanted: Preparation, queue: mpsc::WeakSender<Message>) {
    let job = wanted.job;
    // What the GPUs have taken by now is not the run's.
    let (prepared, ()) = join!(disk.prepare(wanted), gpus.refresh());
    if let Some(queue) = queue.upgrade() {
        // Fails once the queue has ended.
        let _ = queue.send(Message::Prepared(job, prepared)).await;
    }
}

/// Looks at the model bundle, and says what that found.
async fn look(disk: Disk, models: Models, queue: mpsc::WeakSender<Message>) {
    let bundle = models.bundle.clone();
    let looking = move || framepack_bundle::look(&models.bundle, models.f1_bundle.as_deref());
    let found = disk.at(&bundle, looking).await.ok().map(Box::new);
    if let Some(queue) = queue.upgrade() {
        // Fails once the queue has ended.
        let _ = queue.send(Message::Looked(found)).await;
    }
}

/// Tells the queue which shares do not answer, whenever that changes.
async fn tell_shares(mut silent: watch::Receiver<SilentShares>, queue: mpsc::WeakSender<Message>) {
    while silent.changed().await.is_ok() {
        let Some(queue) = queue.upgrade() else { return };
        if queue.send(Message::Shares).await.is_err() {
            return;
        }
    }
}
