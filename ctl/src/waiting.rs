//! Why jobs do not run yet, and what to do about it: the queue's words beside the records, for people.

use std::collections::BTreeMap;

use framepack_ipc::{
    client::ClientError,
    control::{Outage, Request, Response},
    queue::Standing,
};
use framepack_jobs::{Job, JobId, JobState};

use crate::{daemon::Daemon, failure::Failure};

/// By job, for those that wait for something else than their turn.
#[derive(Debug, Default)]
pub(crate) struct Waiting(BTreeMap<JobId, String>);

impl Waiting {
    /// Asks the daemon, if any of these jobs is queued.
    pub(crate) fn of(jobs: &[Job], daemon: &Daemon) -> Result<Self, Failure> {
        if !jobs.iter().any(|job| matches!(job.state, JobState::Queued)) {
            return Ok(Self::default());
        }
        let Response::Queue(queue) = daemon.ask(&Request::Queue)? else {
            return Err(ClientError::Unexpected.into());
        };
        let entries = queue.jobs.into_iter();
        let waiting = entries.filter(|entry| entry.standing == Standing::Waiting);
        let reasons = waiting.map(|entry| (entry.id, with_hint(entry.reason, &queue.outages)));
        Ok(Self(reasons.collect()))
    }

    /// Why this one does.
    pub(crate) fn reason(&self, job: &Job) -> Option<&str> {
        self.0.get(&job.id).map(String::as_str)
    }
}

/// The reason, and what to do about the outage that it names.
fn with_hint(reason: String, outages: &[Outage]) -> String {
    let is_named = |outage: &&Outage| reason.contains(&outage.message);
    let outage = outages.iter().find(is_named);
    match outage.and_then(|outage| outage.hint.as_ref()) {
        Some(hint) => format!("{reason}; {hint}"),
        None => reason,
    }
}
