//! The queue at a glance, for those who need no records.

use std::collections::BTreeMap;

use framepack_ipc::control::Note;
use framepack_jobs::{Code, Job, StateName};

use super::Queue;
use crate::disk::DiskFull;

/// How many jobs there are, and which run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// Jobs that wait.
    pub(crate) queued: u64,
    /// Jobs that a worker has.
    pub(crate) running: Vec<Job>,
    /// Jobs that may be queued or running at a time.
    pub(crate) max_jobs: u64,
    /// Why no job begins, while that is so.
    pub(crate) paused: Option<String>,
    /// The same as a note, when it is the disk.
    pub(crate) disk_full: Option<Note>,
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
        let running = self.index.running().iter();
        Summary {
            queued: self.index.queued().len() as u64,
            running: running.map(|id| self.jobs[id].job.clone()).collect(),
            max_jobs: self.max_jobs,
            paused: self.paused(),
            disk_full: self
                .no_room()
                .map(|full| Note::new(Code::DISK_FULL, full.to_string())),
        }
    }

    /// Jobs in each state that any job is in.
    pub(super) fn counts(&self) -> BTreeMap<StateName, u64> {
        let mut counts = BTreeMap::new();
        for record in self.jobs.values() {
            *counts.entry(record.job.state.name()).or_default() += 1;
        }
        counts
    }

    /// The jobs in these states, or all.
    pub(super) fn list(&self, states: &[StateName]) -> Vec<Job> {
        let jobs = self.jobs.values().map(|record| &record.job);
        let meant = |job: &&Job| states.is_empty() || states.contains(&job.state.name());
        jobs.filter(meant).cloned().collect()
    }

    /// Why the next job has no room, or would have none.
    fn no_room(&self) -> Option<DiskFull> {
        let no_room = self.scheduler.no_room.as_ref();
        no_room
            .map(|(full, _)| full.clone())
            .or_else(|| self.renderer.room().check([].into_iter()).err())
    }

    /// Whether there are as many jobs as there may be.
    pub(super) fn is_full(&self) -> bool {
        let unfinished = self.index.queued().len() + self.index.running().len();
        unfinished as u64 >= self.max_jobs
    }
}
