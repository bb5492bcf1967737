//! The owner of what waits for the store's next sync: answers, announcements, jobs for workers.

use std::{fmt, mem, path::PathBuf};

use framepack_jobs::JobId;
use tokio::sync::oneshot;
use tracing::{error, info};

use super::{
    runs::Assignment,
    submission::{SubmitError, Submitted},
};
use crate::disk::Ended;

/// What is told once everything that was changed before is durable.
#[derive(Debug)]
pub(super) enum Delivery {
    Answer(Answer),
    /// A job has changed: those who watch are told.
    Announce(JobId),
    /// A job begins.
    Assign(JobId, oneshot::Sender<Assignment>, Box<Assignment>),
    /// A job is at the end of a run: it has ended, or waits for another one.
    RunEnded(JobId),
}

/// What goes from the disks before that is told.
#[derive(Debug)]
pub(super) enum Clearing {
    /// What a job needed that has ended.
    Ended(JobId),
    /// What an unfinished run left beside its video.
    Leftovers(PathBuf),
    /// What earlier runs of a job left for the next one.
    Checkpoints(JobId),
    /// A name that was reserved for the video of a job that did not begin.
    Release(JobId, PathBuf),
    /// The copy of a start image of a job that did not come to be, or has another one.
    RemoveInput(PathBuf),
    /// All that a job had beside its video; it is not there any more.
    Forgotten(Box<Ended>),
}

/// An answer and its way.
pub(super) struct Answer(Box<dyn FnOnce() + Send>);

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

impl Answer {
    pub(super) fn send(self) {
        self.0();
    }
}

/// A submission whose answer waits for the sync.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) outcome: Submitted,
    pub(super) reply: oneshot::Sender<Result<Submitted, SubmitError>>,
}

impl Unanswered {
    /// The job is durable.
    pub(super) fn accept(self) {
        if let Submitted::New(job) = &self.outcome {
            info!(job = %job.id, name = job.name, "queued");
        }
        let _ = self.reply.send(Ok(self.outcome));
    }

    /// It is not. Returns the job that nobody was told of.
    pub(super) fn refuse(self, why: &str) -> Option<JobId> {
        let _ = self.reply.send(Err(SubmitError::Store(why.to_owned())));
        match self.outcome {
            Submitted::New(job) => Some(job.id),
            Submitted::Duplicate { .. } | Submitted::KeyTaken(_) => None,
        }
    }
}

/// What waits for the sync.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    deliveries: Vec<Delivery>,
    clearings: Vec<Clearing>,
    submissions: Vec<Unanswered>,
    /// Why the store can't be written, while that is so.
    trouble: Option<String>,
}

impl Outbox {
    pub(super) fn put(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    pub(super) fn clear(&mut self, clearing: Clearing) {
        self.clearings.push(clearing);
    }

    /// Answers with the sync. Nobody minds when the asker has gone away.
    pub(super) fn answer<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        let send = move || {
            let _ = reply.send(answer);
        };
        self.put(Delivery::Answer(Answer(Box::new(send))));
    }

    /// A submission's answer waits for the sync of its job.
    pub(super) fn put_submission(&mut self, submission: Unanswered) {
        self.submissions.push(submission);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty() && self.clearings.is_empty() && self.submissions.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Delivery> {
        mem::take(&mut self.deliveries)
    }

    pub(super) fn take_clearings(&mut self) -> Vec<Clearing> {
        mem::take(&mut self.clearings)
    }

    pub(super) fn take_submissions(&mut self) -> Vec<Unanswered> {
        mem::take(&mut self.submissions)
    }

    /// Why the store can't be written, while that is so.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The store was written, or could not be.
    pub(super) fn note_trouble(&mut self, trouble: Option<String>) {
        match (&self.trouble, &trouble) {
            (None, Some(why)) => {
                error!("no job starts until the store can be written again: {why}");
            }
            (Some(_), None) => info!("the store can be written again"),
            _ => {}
        }
        self.trouble = trouble;
    }
}
