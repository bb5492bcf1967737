//! The way to the queue for everybody else.

use std::{collections::BTreeMap, sync::Arc};

use framepack_ipc::{
    control::{ListRequest, WorkerStatus},
    edit::SetOf,
    estimate::Prediction,
    event::Event,
    queue::{Change, Changed, QueueView},
    state::Imported,
    worker::{Inspected, WorkerInfo},
};
use framepack_jobs::{Failure, Job, JobId, Model, Selector, StateName, Timestamp, Unmatched};
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{
    glance::{Glance, Recent},
    message::{Found, Image, Images, Message, Survey, Wanted},
    order::Order,
    remove::{NotRemoved, Removal},
    replacement::{NotReplaced, Replaced, Replacement},
    runs::{Assignment, Ending, IdleWorker, WorkerReport},
    search::search,
    submission::{Submission, SubmitError, Submitted},
    view::Summary,
};
use crate::{disk::Disk, record::Record, render::Renderer};

/// The daemon is stopping and the queue takes no more messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the daemon is stopping")]
pub(crate) struct Stopping;

/// Sends messages to the queue; cheap to clone. What a message needs to know of the disks is looked for before it is
/// sent, so that the queue never waits for them.
#[derive(Debug, Clone)]
pub(crate) struct QueueHandle {
    messages: mpsc::Sender<Message>,
    events: broadcast::Sender<Arc<Job>>,
    disk: Disk,
    renderer: Renderer,
}

impl QueueHandle {
    pub(super) fn new(
        messages: mpsc::Sender<Message>,
        events: broadcast::Sender<Arc<Job>>,
        disk: Disk,
        renderer: Renderer,
    ) -> Self {
        Self {
            messages,
            events,
            disk,
            renderer,
        }
    }

    /// Adds a job; it is durable when this returns.
    pub(crate) async fn submit(
        &self,
        submission: Submission,
    ) -> Result<Result<Submitted, SubmitError>, Stopping> {
        let answer = self.begin_submit(vec![submission]).await?.pop();
        answer.ok_or(Stopping)?.await.map_err(|_| Stopping)
    }

    /// Begins to add jobs, each of which is durable when its receiver resolves. They are numbered in this order and share
    /// a sync.
    pub(crate) async fn begin_submit(
        &self,
        submissions: Vec<Submission>,
    ) -> Result<Vec<oneshot::Receiver<Result<Submitted, SubmitError>>>, Stopping> {
        let mut sought = Vec::with_capacity(submissions.len());
        for submission in &submissions {
            sought.push((submission.key.clone(), self.survey(submission).await?));
        }
        let found = search(&self.disk, sought).await;
        let mut answers = Vec::with_capacity(submissions.len());
        for (submission, found) in submissions.into_iter().zip(found) {
            let (reply, answer) = oneshot::channel();
            self.tell(Message::Submit(Box::new(submission), found, reply))
                .await?;
            answers.push(answer);
        }
        Ok(answers)
    }

    /// Puts another job in the place of one that is there; durable when this returns. The copy of its image is removed where
    /// nothing comes of it.
    pub(crate) async fn replace(
        &self,
        replacement: Replacement,
    ) -> Result<Result<Replaced, NotReplaced>, Stopping> {
        let (was, submission) = (&replacement.was, &replacement.submission);
        let found = if replacement.keeps_its_place(&self.renderer) {
            Found {
                output: was.job.output.clone(),
                without_video: None,
            }
        } else {
            let sought = (submission.key.clone(), self.survey(submission).await?);
            let mut found = search(&self.disk, vec![sought]).await;
            found.pop().expect("as much is found as is sought")
        };
        let image = match replacement.of {
            SetOf::Failed { .. } if !replacement.has_other_input() => self.image(was).await,
            _ => Image::There,
        };
        self.ask(|reply| Message::Replace(Box::new(replacement), found, image, reply))
            .await
    }

    /// Why a job that has ended could not be removed.
    pub(crate) async fn needed(&self, job: JobId) -> Result<Option<NotRemoved>, Stopping> {
        self.ask(|reply| Message::Needed(job, reply)).await
    }

    /// Forgets jobs; durable when this returns.
    pub(crate) async fn remove(&self, jobs: Vec<JobId>) -> Result<Vec<Removal>, Stopping> {
        self.ask(|reply| Message::Remove(jobs, reply)).await
    }

    /// What to look for on the disks before this is submitted.
    async fn survey(&self, submission: &Submission) -> Result<Survey, Stopping> {
        let Submission {
            spec, name, seed, ..
        } = submission;
        let (folder, stem) = self.renderer.output(spec, name, *seed);
        let wanted = Wanted {
            key: submission.key.clone(),
            folder,
            stem,
        };
        self.ask(|reply| Message::Survey(Box::new(wanted), reply))
            .await
    }

    /// How many jobs there are, and which run.
    pub(crate) async fn summary(&self) -> Result<Summary, Stopping> {
        self.ask(Message::Summary).await
    }

    /// The queue with all that `status` says of it.
    pub(crate) async fn glance(&self, recent: Recent) -> Result<Glance, Stopping> {
        self.ask(|reply| Message::Glance(recent, reply)).await
    }

    /// A job with what only the daemon knows of it.
    pub(crate) async fn record(&self, job: JobId) -> Result<Option<Box<Record>>, Stopping> {
        self.ask(|reply| Message::Record(job, reply)).await
    }

    /// The job that came with this claimed file.
    pub(crate) async fn by_claim(&self, claim: String) -> Result<Option<Arc<Record>>, Stopping> {
        self.ask(|reply| Message::ByClaim(claim, reply)).await
    }

    /// Says that a worker is idle. The receiver resolves when there is a job for it.
    pub(crate) async fn next(
        &self,
        worker: &WorkerInfo,
    ) -> Result<oneshot::Receiver<Assignment>, Stopping> {
        let (reply, assignment) = oneshot::channel();
        let worker = worker.clone();
        self.tell(Message::Next(IdleWorker { worker, reply }))
            .await?;
        Ok(assignment)
    }

    /// Passes on what the worker says about its job.
    pub(crate) async fn report(&self, job: JobId, report: WorkerReport) -> Result<(), Stopping> {
        self.tell(Message::WorkerReport(job, report)).await
    }

    /// Ends an assignment; the new state is durable when this returns.
    pub(crate) async fn end(&self, job: JobId, ending: Ending) -> Result<(), Stopping> {
        self.ask(|reply| Message::End(job, Box::new(ending), reply))
            .await
    }

    /// Cancels or changes jobs, or changes the queue as a whole; durable when this returns.
    pub(crate) async fn change(
        &self,
        order: Order,
    ) -> Result<Result<Vec<Changed>, Unmatched>, Stopping> {
        let images = match &order {
            Order::Jobs(selectors, Change::Retry { .. }) => self.images(selectors).await?,
            _ => Images::new(),
        };
        self.ask(|reply| Message::Change(order, images, reply))
            .await
    }

    /// Looks for the copies of start images of the jobs that are to be tried again.
    async fn images(&self, selectors: &[Selector]) -> Result<Images, Stopping> {
        let mut images = Images::new();
        // Where none fits, the queue says so.
        for job in self.select(selectors.to_vec()).await?.unwrap_or_default() {
            let Some(record) = self.record(job.id).await? else {
                continue;
            };
            if job.is(StateName::Failed) || job.is(StateName::Expired) {
                images.insert(job.id, self.image(&record).await);
            }
        }
        Ok(images)
    }

    async fn image(&self, record: &Record) -> Image {
        match self.disk.is_there(&record.private.input).await {
            Ok(false) => Image::Gone,
            _ => Image::There,
        }
    }

    /// The order in which jobs will run.
    pub(crate) async fn view(&self) -> Result<QueueView, Stopping> {
        self.ask(Message::View).await
    }

    /// How long a job would take on a device.
    pub(crate) async fn predict(
        &self,
        record: Record,
        device: String,
    ) -> Result<Prediction, Stopping> {
        self.ask(|reply| Message::Predict(Box::new(record), device, reply))
            .await
    }

    /// Notes what a worker is doing.
    pub(crate) async fn worker(&self, status: WorkerStatus) -> Result<(), Stopping> {
        self.tell(Message::Worker(status)).await
    }

    /// Notes that a device has a model loaded that no job left there.
    pub(crate) async fn loaded(&self, device: &str, model: Model) -> Result<(), Stopping> {
        self.tell(Message::Loaded(device.to_owned(), model)).await
    }

    /// What each worker is doing, by device.
    pub(crate) async fn workers(&self) -> Result<Vec<WorkerStatus>, Stopping> {
        self.ask(Message::Workers).await
    }

    /// The jobs in these states, or all, by number.
    pub(crate) async fn list(&self, request: ListRequest) -> Result<Vec<Job>, Stopping> {
        self.ask(|reply| Message::List(request, reply)).await
    }

    /// The selected jobs, by number.
    pub(crate) async fn select(
        &self,
        selectors: Vec<Selector>,
    ) -> Result<Result<Vec<Job>, Unmatched>, Stopping> {
        self.ask(|reply| Message::Select(selectors, reply)).await
    }

    /// Jobs in each state that any job is in.
    pub(crate) async fn counts(&self) -> Result<BTreeMap<StateName, u64>, Stopping> {
        self.ask(Message::Counts).await
    }

    /// At most so many records with numbers behind `after`.
    pub(crate) async fn records_after(
        &self,
        after: JobId,
        limit: usize,
    ) -> Result<Vec<Record>, Stopping> {
        self.ask(|reply| Message::RecordsAfter(after, limit, reply))
            .await
    }

    /// Takes an exported record; durable when this returns.
    pub(crate) async fn import(&self, record: Record) -> Result<Imported, Stopping> {
        let image = self.image(&record).await;
        self.ask(|reply| Message::Import(Box::new(record), image, reply))
            .await
    }

    /// One job.
    pub(crate) async fn show(&self, job: JobId) -> Result<Option<Job>, Stopping> {
        self.ask(|reply| Message::Show(job, reply)).await
    }

    /// Notes what a closer look at a job found that a user had changed then; durable when this returns.
    pub(crate) async fn inspected(
        &self,
        inspected: Inspected,
        changed_at: Option<Timestamp>,
    ) -> Result<(), Stopping> {
        self.ask(|reply| Message::Inspected(Box::new(inspected), changed_at, reply))
            .await
    }

    /// The model bundle is not there: jobs will wait for it.
    pub(crate) async fn expect_outage(&self, failure: Failure) -> Result<(), Stopping> {
        self.tell(Message::Outage(Box::new(failure))).await
    }

    /// Tells those who follow the farm of what is no change of a job; durable with what is sent after it.
    pub(crate) async fn tell_of(&self, event: Event) -> Result<(), Stopping> {
        self.tell(Message::Tell(Box::new(event))).await
    }

    /// Whether nothing runs and nothing is ready to start.
    pub(crate) async fn is_idle(&self) -> Result<bool, Stopping> {
        self.ask(Message::IsIdle).await
    }

    /// Every change of every job from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Job>> {
        self.events.subscribe()
    }

    /// Syncs the store and ends the queue.
    pub(crate) async fn stop(&self) {
        // When it has already ended there is nothing to stop.
        let _ = self.ask(Message::Stop).await;
    }

    async fn tell(&self, message: Message) -> Result<(), Stopping> {
        self.messages.send(message).await.map_err(|_| Stopping)
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Result<T, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.tell(message(reply)).await?;
        answer.await.map_err(|_| Stopping)
    }
}
