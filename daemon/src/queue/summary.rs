//! The queue at a glance, for those who need no records.

use framepack_jobs::{Job, StateName};

use super::Queue;

/// How many jobs there are, and which run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// Jobs that wait.
    pub(crate) queued: u64,
    /// Jobs that a worker has.
    pub(crate) running: Vec<Job>,
    /// Jobs that may be queued or running at a time.
    pub(crate) max_jobs: u64,
}

impl Summary {
    /// Jobs that still fit.
    pub(crate) fn room(&self) -> u64 {
        let running = self.running.len() as u64;
        self.max_jobs.saturating_sub(self.queued + running)
    }
}

impl Queue {
    pub(super) fn summary(&self) -> Summary {
        let jobs = || self.jobs.values().map(|record| &record.job);
        Summary {
            queued: jobs().filter(|job| job.is(StateName::Queued)).count() as u64,
            running: jobs()
                .filter(|job| job.is(StateName::Running))
                .cloned()
                .collect(),
            max_jobs: self.max_jobs,
        }
    }

    /// Whether there are as many jobs as there may be.
    pub(super) fn is_full(&self) -> bool {
        // Counted only when it can be so: most records are of jobs that have ended.
        self.jobs.len() as u64 >= self.max_jobs && self.summary().room() == 0
    }
}
