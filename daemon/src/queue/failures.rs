//! What has failed lately.

use framepack_ipc::farm::RecentFailure;
use framepack_jobs::{Job, JobState, Timestamp};

use super::jobs::Jobs;

/// The latest failures since a time, the latest first, at most so many.
pub(super) fn failures(jobs: &Jobs, since: Timestamp, limit: usize) -> Vec<RecentFailure> {
    let jobs = jobs.all().values().map(|record| &record.job);
    let mut failed: Vec<(Timestamp, &Job)> = jobs
        .filter_map(|job| match &job.state {
            JobState::Failed { finished_at, .. } => Some((*finished_at, job)),
            _ => None,
        })
        .filter(|(finished_at, _)| *finished_at >= since)
        .collect();
    failed.sort_by_key(|(finished_at, job)| (*finished_at, job.id));
    let latest = failed.into_iter().rev().take(limit);
    latest.filter_map(|(_, job)| recent(job)).collect()
}

fn recent(job: &Job) -> Option<RecentFailure> {
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
