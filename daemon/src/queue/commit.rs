//! The group commit: the changes of many messages, one sync, then their answers.
//!
//! A change is noted with [`Queue::put`]; what rests on it is done with [`Queue::when_durable`]. While the store
//! can't be written the changes wait, nothing is answered that is not durable, and new jobs are refused.

use std::{fmt, mem};

use framepack_jobs::JobId;
use tokio::sync::oneshot;
use tracing::{error, info};

use super::{Queue, SubmitError, Submitted};
use crate::inputs;

/// What is done once everything that was changed before is durable.
pub(super) struct Deferred(Box<dyn FnOnce(&mut Queue) + Send>);

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deferred")
    }
}

/// A submission whose answer waits for the sync.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) outcome: Submitted,
    pub(super) reply: oneshot::Sender<Result<Submitted, SubmitError>>,
}

impl Queue {
    /// Notes that a job has changed; durable with the next commit.
    pub(super) fn put(&mut self, id: JobId) {
        let record = &self.jobs[&id];
        self.index.note(record);
        self.store.put(record);
    }

    /// The same, and the watchers are told.
    pub(super) fn persist(&mut self, id: JobId) {
        self.put(id);
        self.when_durable(move |queue| queue.announce(id));
    }

    /// Does something once all changes up to now are durable.
    pub(super) fn when_durable(&mut self, act: impl FnOnce(&mut Self) + Send + 'static) {
        self.deferred.push(Deferred(Box::new(act)));
    }

    /// Answers once all changes up to now are durable. Nobody minds when the asker has gone away.
    pub(super) fn reply_when_durable<T: Send + 'static>(
        &mut self,
        reply: oneshot::Sender<T>,
        answer: T,
    ) {
        self.when_durable(move |_| {
            let _ = reply.send(answer);
        });
    }

    /// Tells how the jobs are: what was not durable when it was asked for is not told before it is. While the store
    /// can't be written that may take long, and what is told is what will be written.
    pub(super) fn tell<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        if self.store.has_changes() && self.trouble.is_none() {
            self.reply_when_durable(reply, answer);
        } else {
            // Nobody minds when the asker has gone away.
            let _ = reply.send(answer);
        }
    }

    /// Makes all changes durable with one sync, then does what waited for it.
    pub(super) async fn commit(&mut self) {
        self.store.reopen().await;
        // What is done may change jobs, too.
        while self.store.has_changes() || !self.deferred.is_empty() || !self.submissions.is_empty()
        {
            if let Err(error) = self.store.commit().await {
                self.refuse_submissions(&error.to_string());
                self.note_trouble(Some(error.to_string()));
                return;
            }
            for Unanswered { outcome, reply } in mem::take(&mut self.submissions) {
                if let Submitted::New(job) = &outcome {
                    info!(job = %job.id, name = job.name, "queued");
                }
                let _ = reply.send(Ok(outcome));
            }
            for Deferred(act) in mem::take(&mut self.deferred) {
                act(self);
            }
        }
        // What is durable in the journal alone is durable, but a full disk is no time to begin jobs.
        self.note_trouble(self.store.failure().map(ToString::to_string));
    }

    fn note_trouble(&mut self, trouble: Option<String>) {
        match (&self.trouble, &trouble) {
            (None, Some(why)) => {
                error!("no job starts until the store can be written again: {why}");
            }
            (Some(_), None) => info!("the store can be written again"),
            _ => {}
        }
        self.trouble = trouble;
    }

    /// Takes back the jobs that nobody was told of yet, so that no later daemon finds a job whose submitter was
    /// refused.
    fn refuse_submissions(&mut self, why: &str) {
        for Unanswered { outcome, reply } in mem::take(&mut self.submissions) {
            if let Submitted::New(job) = outcome
                && let Some(record) = self.jobs.remove(&job.id)
            {
                self.index.forget(&record, &self.jobs);
                self.store.take_back(job.id);
                inputs::remove(&record.private.input);
            }
            let _ = reply.send(Err(SubmitError::Store(why.to_owned())));
        }
    }
}
