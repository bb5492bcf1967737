//! `cancel`: stops jobs.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{CancelOutcome, Request, Response, SelectRequest},
};
use framepack_jobs::Job;

use crate::{cli::Jobs, daemon::Daemon, failure::Failure, output::Output};

pub(crate) fn run(selected: Jobs, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::Cancel(SelectRequest {
        jobs: selected.jobs,
    });
    let Response::Cancelled { jobs } = daemon.ask(&request)? else {
        return Err(ClientError::Unexpected.into());
    };
    let mut exit = Exit::Ok;
    let mut remarks = Vec::new();
    for cancellation in &jobs {
        let job = &cancellation.job;
        match cancellation.outcome {
            CancelOutcome::Cancelled => {}
            CancelOutcome::Stopping => {
                remarks.push(format!("job {} will stop before its next step", job.id));
            }
            CancelOutcome::AlreadyFinished => {
                exit = Exit::Conflict;
                remarks.push(format!("job {} is already {}", job.id, job.state.name()));
            }
            CancelOutcome::Unknown => remarks.push(format!("job {}: see `show`", job.id)),
        }
    }
    output.warn(&remarks)?;
    let jobs: Vec<Job> = jobs
        .into_iter()
        .map(|cancellation| *cancellation.job)
        .collect();
    output.jobs(&jobs, remarks)?;
    Ok(exit)
}
