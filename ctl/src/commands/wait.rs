//! `wait`: until jobs are finished.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest, Stream},
};
use framepack_jobs::{Code, Job, JobId, Selector};

use crate::{cli::Wait, daemon::Daemon, failure::Failure, output::Output, progress::ProgressView};

pub(crate) fn run(arguments: Wait, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let finished = until_finished(arguments.selected.jobs, arguments.timeout, daemon)?;
    let exit = Exit::of_finished(&finished);
    output.jobs(&finished, Vec::new())?;
    Ok(exit)
}

/// The selected jobs once all of them are finished, with their progress shown meanwhile.
pub(crate) fn until_finished(
    jobs: Vec<Selector>,
    timeout: Option<Duration>,
    daemon: &Daemon,
) -> Result<Vec<Job>, Failure> {
    let mut client = daemon.connect()?;
    client.set_deadline(timeout.map(|timeout| Instant::now() + timeout));
    let mut progress = ProgressView::new();
    let mut watched: BTreeMap<JobId, Job> = BTreeMap::new();
    let events = Stream::Events(SelectRequest { jobs });
    let mut answer = client.call(&Request::Stream(events));
    loop {
        match answer {
            Ok(Response::Job(job)) => {
                progress.show(&job);
                watched.insert(job.id, *job);
            }
            Ok(Response::End) => return Ok(watched.into_values().collect()),
            Ok(_) => return Err(ClientError::Unexpected.into()),
            Err(ClientError::TimedOut) => return Err(timed_out(watched.values())),
            Err(err) => return Err(err.into()),
        }
        answer = client.receive();
    }
}

fn timed_out<'j>(watched: impl Iterator<Item = &'j Job>) -> Failure {
    let unfinished: Vec<String> = watched
        .filter(|job| !job.is_finished())
        .map(|job| format!("{} is {}", job.id, job.state.name()))
        .collect();
    let message = format!("--timeout elapsed: {}", unfinished.join(", "));
    Failure::new(ErrorBody::new(Code::TIMEOUT, message))
}
