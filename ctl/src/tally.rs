//! Several jobs that are waited for: which start and end, and how many are left.

use std::collections::BTreeMap;

use framepack_jobs::{Job, JobId, JobState, StateName};

/// The jobs, and the state that was told of each.
#[derive(Debug)]
pub(crate) struct Tally(BTreeMap<JobId, StateName>);

impl Tally {
    /// These jobs, of which those that have ended need not be told of.
    pub(crate) fn of(jobs: &[Job]) -> Self {
        Self(jobs.iter().map(|job| (job.id, job.state.name())).collect())
    }

    /// A job is like this now. Returns what there is to say, if that is another state.
    pub(crate) fn note(&mut self, job: &Job) -> Option<String> {
        let now = job.state.name();
        let before = self.0.insert(job.id, now);
        if before == Some(now) {
            return None;
        }
        let (all, finished) = (self.0.len(), self.finished());
        let what = match &job.state {
            JobState::Running { device, .. } => format!("started on {device}"),
            JobState::Queued => "back in the queue".to_owned(),
            JobState::Failed { failure, .. } | JobState::Expired { failure, .. } => {
                format!("{now}: {}", failure.code.behind(&failure.message))
            }
            JobState::Done { .. } | JobState::Cancelled { .. } => now.to_string(),
        };
        Some(format!(
            "job {} ({}): {what}; {finished} of {all} finished",
            job.id, job.name
        ))
    }

    fn finished(&self) -> usize {
        let states = self.0.values();
        states.filter(|state| state.is_finished()).count()
    }
}
