//! `wait`: until jobs are finished, or nothing is left to do.

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

use crate::{
    cli::{Awaited, Wait},
    daemon::Daemon,
    failure::Failure,
    output::Output,
    progress::ProgressView,
    tally::Tally,
};

pub(crate) fn run(arguments: &Wait, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let mut jobs = match arguments.awaited() {
        Awaited::Idle => return until_idle(arguments.timeout, daemon),
        Awaited::Jobs(jobs) => jobs,
    };
    let mut tally = None;
    if arguments.progress {
        let meant = daemon.jobs(&Request::Show(SelectRequest { jobs }))?;
        // The same ones, whatever state they have by then.
        jobs = meant.iter().map(|job| Selector::Id(job.id)).collect();
        if jobs.is_empty() {
            return Ok(Exit::Ok);
        }
        tally = Some(Tally::of(&meant));
    }
    let mut wait = JobWait {
        end: if arguments.any { End::Any } else { End::All },
        tally,
        view: ProgressView::new(),
        watched: BTreeMap::new(),
    };
    let finished = wait.finished(jobs, arguments.timeout, daemon)?;
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
    let mut wait = JobWait {
        end: End::All,
        tally: None,
        view: ProgressView::new(),
        watched: BTreeMap::new(),
    };
    wait.finished(jobs, timeout, daemon)
}

/// When the wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    All,
    Any,
}

/// A wait for jobs.
#[derive(Debug)]
struct JobWait {
    end: End,
    /// Says which jobs start and end.
    tally: Option<Tally>,
    view: ProgressView,
    watched: BTreeMap<JobId, Job>,
}

impl JobWait {
    /// The jobs once the wait is over; of those that were waited for together all, or the one that has finished first.
    fn finished(
        &mut self,
        jobs: Vec<Selector>,
        timeout: Option<Duration>,
        daemon: &Daemon,
    ) -> Result<Vec<Job>, Failure> {
        let deadline = deadline(timeout);
        let mut client = match daemon.connect_before(deadline) {
            Err(ClientError::TimedOut) if has_passed(deadline) => {
                return Err(timed_out(self.watched.values()));
            }
            connected => connected?,
        };
        client.set_deadline(deadline);
        let events = Stream::Events(SelectRequest { jobs });
        let mut answer = client.call(&Request::Stream(events));
        loop {
            match answer {
                Ok(Response::Job(job)) if self.end == End::Any && job.is_finished() => {
                    return Ok(vec![*job]);
                }
                Ok(Response::Job(job)) => self.note(*job),
                Ok(Response::End) => {
                    return Ok(std::mem::take(&mut self.watched).into_values().collect());
                }
                Ok(_) => return Err(ClientError::Unexpected.into()),
                Err(ClientError::TimedOut) => return Err(timed_out(self.watched.values())),
                Err(err) => return Err(err.into()),
            }
            answer = client.receive();
        }
    }

    fn note(&mut self, job: Job) {
        self.view.show(&job);
        if let Some(line) = self.tally.as_mut().and_then(|tally| tally.note(&job)) {
            self.view.say(&line);
        }
        self.watched.insert(job.id, job);
    }
}

fn until_idle(timeout: Option<Duration>, daemon: &Daemon) -> Result<Exit, Failure> {
    let deadline = deadline(timeout);
    let answer = daemon.connect_before(deadline).and_then(|mut client| {
        client.set_deadline(deadline);
        client.call(&Request::Stream(Stream::Idle))
    });
    match answer {
        Ok(Response::End) => Ok(Exit::Ok),
        Ok(_) => Err(ClientError::Unexpected.into()),
        Err(ClientError::TimedOut) if has_passed(deadline) => {
            let message = "--timeout elapsed: the farm is not idle";
            Err(Failure::new(ErrorBody::new(Code::TIMEOUT, message)))
        }
        Err(error) => Err(error.into()),
    }
}

fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.map(|timeout| Instant::now() + timeout)
}

fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}

fn timed_out<'j>(watched: impl Iterator<Item = &'j Job>) -> Failure {
    let unfinished: Vec<String> = watched
        .filter(|job| !job.is_finished())
        .map(|job| format!("{} is {}", job.id, job.state.name()))
        .collect();
    let message = match unfinished.as_slice() {
        [] => "--timeout elapsed: framepackd has not answered".to_owned(),
        unfinished => format!("--timeout elapsed: {}", unfinished.join(", ")),
    };
    Failure::new(ErrorBody::new(Code::TIMEOUT, message))
}
