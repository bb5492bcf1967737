//! The four owners together, and what concerns more than one of them: a job's change, its next state, its end.

use framepack_jobs::{JobId, JobState, StateName};
use tracing::{info, warn};

use super::{
    jobs::Jobs,
    outbox::{Clearing, Delivery, Outbox},
    runs::Runs,
    schedule::Schedule,
};
use crate::{clock::Clock, history::History, record::Record, render::Renderer};

/// All jobs and who works on them.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) jobs: Jobs,
    pub(super) runs: Runs,
    pub(super) outbox: Outbox,
    pub(super) schedule: Schedule,
    /// How long jobs take.
    pub(super) history: History,
    pub(super) renderer: Renderer,
    pub(super) clock: Clock,
    /// Jobs that may be queued or running at a time.
    pub(super) max_jobs: u64,
}

impl Queue {
    /// Changes a job. It is durable with the next commit, and then those who watch are told.
    pub(super) fn change<T>(
        &mut self,
        id: JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Option<T> {
        let changed = self.jobs.change(id, change)?;
        self.outbox.put(Delivery::Announce(id));
        Some(changed)
    }

    /// Gives a job its next state.
    pub(super) fn finish(&mut self, id: JobId, state: JobState) {
        if state.name() != StateName::Done
            && let Some(record) = self.jobs.get(id)
        {
            let output = record.job.output.clone();
            self.outbox.clear(Clearing::Leftovers(output));
        }
        self.change(id, |record| {
            record
                .job
                .transition(state)
                .expect("a queued or running job may take each state that the queue gives it");
        });
        if let Some(record) = self.jobs.get(id) {
            self.history.learn(record);
        }
        self.schedule.look_again();
        self.outbox.clear(Clearing::Ended(id));
        self.outbox.put(Delivery::RunEnded(id));
    }

    /// Why no job begins, while that is so.
    pub(super) fn paused(&self) -> Option<String> {
        let trouble = || {
            let trouble = self.outbox.trouble()?;
            Some(format!("the store can't be written: {trouble}"))
        };
        self.schedule.paused().or_else(trouble)
    }
}

/// Logs what became of a job.
pub(super) fn log_state(record: &Record) {
    let (id, state) = (record.job.id, record.job.state.name());
    match &record.job.state {
        JobState::Failed { failure, .. } => {
            warn!(job = %id, code = %failure.code, class = ?failure.class, "failed: {}", failure.message);
        }
        _ => {
            info!(job = %id, name = record.job.name, %state, output = %record.job.output.display());
        }
    }
}
