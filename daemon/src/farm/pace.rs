//! How fast the running jobs are, by when their steps came.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use framepack_jobs::{Job, JobId, JobState, Pace};

/// The running jobs' paces; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paces(Arc<Mutex<HashMap<JobId, Pace>>>);

impl Paces {
    /// The job is like this now.
    pub(crate) fn note(&self, job: &Job) {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &job.state {
            JobState::Running { paused: true, .. } => {
                paces.entry(job.id).or_default().halt();
            }
            JobState::Running {
                progress: Some(progress),
                ..
            } => paces
                .entry(job.id)
                .or_default()
                .note(progress, Instant::now()),
            JobState::Running { .. } => {}
            _ => {
                paces.remove(&job.id);
            }
        }
    }

    /// A running job's pace.
    pub(crate) fn of(&self, job: JobId) -> Pace {
        let paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paces.get(&job).cloned().unwrap_or_default()
    }
}
