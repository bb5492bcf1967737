//! The queue at a glance, with what has failed lately.

use std::collections::BTreeMap;

use framepack_ipc::{control::WorkerStatus, farm::RecentFailure, queue::QueueView};
use framepack_jobs::{Job, JobId, JobState, Timestamp};

use super::{
    core::Queue,
    jobs::Jobs,
    view::{Summary, summary, view},
};

/// What `status` says of the queue.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(crate) summary: Summary,
    pub(crate) workers: Vec<WorkerStatus>,
    pub(crate) queue: QueueView,
    /// How long steps take of the running jobs of which two were seen.
    pub(crate) secs_per_step: BTreeMap<JobId, f64>,
    pub(crate) failures: Vec<RecentFailure>,
}

/// Which failures are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recent {
    pub(crate) since: Timestamp,
    pub(crate) at_most: usize,
}

pub(super) fn glance(queue: &Queue, recent: Recent) -> Glance {
    let running = queue.jobs.running().map(|record| record.job.id);
    let pace = |id| Some((id, queue.runs.pace(id)?.secs_per_step()?));
    Glance {
        summary: summary(queue),
        workers: queue.runs.workers().cloned().collect(),
        queue: view(queue),
        secs_per_step: running.filter_map(pace).collect(),
        failures: failures(&queue.jobs, recent),
    }
}

/// The latest failures, the latest first.
fn failures(jobs: &Jobs, recent: Recent) -> Vec<RecentFailure> {
    let jobs = jobs.all().values().map(|record| &record.job);
    let mut failures: Vec<RecentFailure> = jobs
        .filter_map(failure)
        .filter(|failure| failure.finished_at >= recent.since)
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse((failure.finished_at, failure.id)));
    failures.truncate(recent.at_most);
    failures
}

fn failure(job: &Job) -> Option<RecentFailure> {
    let JobState::Failed {
        finished_at,
        failure,
    } = &job.state
    else {
        return None;
    };
    Some(RecentFailure {
        id: job.id,
        name: job.name.clone(),
        code: failure.code.clone(),
        message: failure.message.clone(),
        finished_at: *finished_at,
    })
}
