//! Jobs that have ended are forgotten.

use std::collections::HashSet;

use framepack_jobs::{Dependency, Job, JobId, StateName, composed};
use thiserror::Error;
use tracing::info;

use super::{core::Queue, ending::ended, outbox::Clearing};
use crate::{disk::Ended, record::Record};

/// A job that was to be removed, as it was.
pub(crate) type Removal = Result<Box<Record>, NotRemoved>;

/// Why a job stays, behind its number.
#[derive(Debug, Error)]
pub(crate) enum NotRemoved {
    #[error("is not there any more")]
    Gone(JobId),
    #[error("is {state}: cancel it first with `framepackctl cancel {id}`")]
    NotEnded { id: JobId, state: StateName },
    #[error("is needed by job {0}, which runs after it")]
    Needed(JobId),
}

/// Forgets jobs, each by itself.
pub(super) fn remove(queue: &mut Queue, jobs: &[JobId]) -> Vec<Removal> {
    let needed = Needed::by_the_queue(queue);
    let removals = jobs.iter().map(|id| remove_job(queue, *id, &needed));
    let removals = removals.collect();
    queue.schedule.look_again();
    removals
}

/// Why a job that has ended could not be removed, as all is now.
pub(super) fn needed(queue: &Queue, id: JobId) -> Option<NotRemoved> {
    let job = &queue.jobs.get(id)?.job;
    Needed::by_the_queue(queue).by(job).map(NotRemoved::Needed)
}

fn remove_job(queue: &mut Queue, id: JobId, needed: &Needed) -> Removal {
    let Some(record) = queue.jobs.get(id) else {
        return Err(NotRemoved::Gone(id));
    };
    if !record.job.is_finished() {
        let state = record.job.state.name();
        return Err(NotRemoved::NotEnded { id, state });
    }
    if let Some(by) = needed.by(&record.job) {
        return Err(NotRemoved::Needed(by));
    }
    let now = queue.clock.sure();
    let removed = queue.jobs.remove(id).ok_or(NotRemoved::Gone(id))?;
    queue.schedule.note_replaced(id);
    queue.schedule.note_ended(id);
    // Not as a field `job`: that would be a line in the log that is being removed.
    info!("job {id} (\"{}\") was removed by a user", removed.job.name);
    let ended = Ended {
        is_kept: false,
        ..ended(&removed, now)
    };
    queue.outbox.clear(Clearing::Forgotten(Box::new(ended)));
    Ok(Box::new(removed))
}

/// What unfinished jobs wait for, and which of them.
struct Needed(Vec<(HashSet<Dependency>, JobId)>);

impl Needed {
    fn by_the_queue(queue: &Queue) -> Self {
        let queued = queue.jobs.queued().iter();
        let queued = queued.filter_map(|id| queue.jobs.get(*id));
        let unfinished = queued.chain(queue.jobs.running());
        let waiting = unfinished.filter(|record| !record.job.schedule.after.is_empty());
        let needs = waiting.map(|record| {
            let after = record.job.schedule.after.iter();
            let after = after.map(|dependency| match dependency {
                Dependency::Named(name) => Dependency::Named(composed(name).into_owned()),
                number @ Dependency::Number(_) => number.clone(),
            });
            (after.collect(), record.job.id)
        });
        Self(needs.collect())
    }

    /// A job that needs this one to be done, by whatever it calls it.
    fn by(&self, job: &Job) -> Option<JobId> {
        if !job.is(StateName::Done) {
            return None;
        }
        let words = [&job.name, &job.key].map(|word| Dependency::Named(word.clone()));
        let words = words.into_iter().chain([Dependency::Number(job.id)]);
        let words: Vec<Dependency> = words.collect();
        let mut needs = self.0.iter();
        let needing = needs.find(|(after, _)| words.iter().any(|word| after.contains(word)));
        needing.map(|(_, id)| *id)
    }
}
