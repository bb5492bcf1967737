//! When running jobs will end, as the queue tells it: beside their records, for programs.

use framepack_ipc::{
    client::ClientError,
    control::{Request, Response},
    queue::QueueEntry,
};
use framepack_jobs::{Job, StateName};
use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output},
};

/// Its key.
const ENDS: &str = "ends";

/// Top-level keys of a job's record with it.
pub(crate) fn fields() -> Vec<&'static str> {
    Job::FIELDS.into_iter().chain([ENDS]).collect()
}

/// The jobs' records, those of running jobs with when they will end. The queue is asked only if somebody wants to know.
pub(crate) fn records(
    jobs: &[Job],
    daemon: &Daemon,
    output: &Output,
) -> Result<Vec<Value>, Failure> {
    let is_running = |job: &Job| job.is(StateName::Running);
    let entries = if is_wanted(&output.format) && jobs.iter().any(is_running) {
        entries(daemon)?
    } else {
        Vec::new()
    };
    let record = |job: &Job| {
        let mut record = json!(job);
        let entry = entries.iter().find(|entry| entry.id == job.id);
        if is_running(job)
            && let Some(ends) = entry.and_then(|entry| entry.ends.as_ref())
        {
            record[ENDS] = json!(ends);
        }
        record
    };
    Ok(jobs.iter().map(record).collect())
}

fn is_wanted(format: &Format) -> bool {
    match format {
        Format::Text => false,
        Format::Json => true,
        Format::Fields(fields) => {
            let mut tops = fields.iter().filter_map(|field| field.split('.').next());
            tops.any(|top| top == ENDS)
        }
    }
}

fn entries(daemon: &Daemon) -> Result<Vec<QueueEntry>, Failure> {
    match daemon.ask(&Request::Queue)? {
        Response::Queue(queue) => Ok(queue.jobs),
        _ => Err(ClientError::Unexpected.into()),
    }
}
