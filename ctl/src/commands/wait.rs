//! `wait`: until jobs are finished, or nothing is left to do.
//!
//! It outlives the daemon: after a restart it waits on for the same jobs, and sees which of them have ended meanwhile.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use framepack_ipc::{
    ErrorBody, Exit,
    client::{Client, ClientError},
    control::{Request, Response, SelectRequest, Stream},
};
use framepack_jobs::{Code, Job, JobId, Selector, StateName};

use crate::{
    cli::{Awaited, Wait},
    daemon::Daemon,
    failure::Failure,
    output::{Output, remark},
    progress::ProgressView,
    reconnection::{GivenUp, Reconnection},
    tally::Tally,
};

pub(crate) fn run(arguments: &Wait, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let reconnection = Reconnection::before(deadline(arguments.timeout));
    let selectors = match arguments.awaited() {
        Awaited::Idle => return until_idle(reconnection, daemon),
        Awaited::Jobs(jobs) => jobs,
    };
    let meant = meant(selectors, reconnection.deadline(), daemon);
    let meant = meant.map_err(|error| reconnection.given_up(error))?;
    let mut wait = JobWait {
        end: if arguments.any { End::Any } else { End::All },
        tally: arguments.progress.then(|| Tally::of(&meant)),
        ..JobWait::of(meant, reconnection)
    };
    let finished = wait.finished(daemon)?;
    let exit = Exit::of_finished(&finished);
    let remarks = say_unexpected(&finished, output);
    output.jobs(&finished, remarks)?;
    Ok(exit)
}

/// Says which jobs ended otherwise than whoever cancelled them may expect; people read it in each job's sentence. Returns it
/// for what is printed as JSON.
pub(crate) fn say_unexpected(finished: &[Job], output: &Output) -> Vec<String> {
    let remark = |job: &Job| Some(format!("job {} {}", job.id, job.done_all_the_same()?));
    let remarks: Vec<String> = finished.iter().filter_map(remark).collect();
    if !output.is_text_for_people() {
        output.warn(&remarks);
    }
    remarks
}

/// This job once it has finished, with its progress shown meanwhile. The daemon has just answered.
pub(crate) fn until_finished(
    job: Job,
    timeout: Option<Duration>,
    daemon: &Daemon,
) -> Result<Vec<Job>, Failure> {
    let reconnection = Reconnection::before(deadline(timeout));
    JobWait::of(vec![job], reconnection).finished(daemon)
}

/// The jobs that are meant now: later another one may be the last, or have failed.
fn meant(
    jobs: Vec<Selector>,
    deadline: Option<Instant>,
    daemon: &Daemon,
) -> Result<Vec<Job>, ClientError> {
    let mut client = daemon.connect_before(deadline)?;
    client.jobs(&Request::Show(SelectRequest { jobs }))
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
    /// As they were told last.
    watched: BTreeMap<JobId, Job>,
    reconnection: Reconnection,
}

impl JobWait {
    /// For all of these jobs, which the daemon has just told of.
    fn of(jobs: Vec<Job>, mut reconnection: Reconnection) -> Self {
        reconnection.answered(remark);
        Self {
            end: End::All,
            tally: None,
            view: ProgressView::new(),
            watched: jobs.into_iter().map(|job| (job.id, job)).collect(),
            reconnection,
        }
    }

    /// The jobs once the wait is over; of those that were waited for together all, or the one that has finished first.
    fn finished(&mut self, daemon: &Daemon) -> Result<Vec<Job>, Failure> {
        if self.watched.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            let error = match self.watch(daemon) {
                Ok(finished) => return Ok(finished),
                Err(error) => error,
            };
            match self.reconnection.lost(error, |line| self.view.say(line)) {
                Ok(()) => {}
                Err(GivenUp::TimedOut) => return Err(self.timed_out()),
                Err(given_up) => return Err(given_up.into()),
            }
        }
    }

    /// Watches the jobs as long as the daemon tells of them.
    fn watch(&mut self, daemon: &Daemon) -> Result<Vec<Job>, ClientError> {
        let mut client = connect(daemon, &self.reconnection)?;
        let jobs = self.watched.keys().map(|id| Selector::Id(*id)).collect();
        let events = Stream::Events(SelectRequest { jobs });
        let mut answer = client.call(&Request::Stream(events))?;
        loop {
            self.reconnection.answered(|line| self.view.say(line));
            match answer {
                Response::Job(job) if self.end == End::Any && job.is_finished() => {
                    return Ok(vec![*job]);
                }
                Response::Job(job) => self.note(*job),
                Response::End => {
                    return Ok(std::mem::take(&mut self.watched).into_values().collect());
                }
                _ => return Err(ClientError::Unexpected),
            }
            answer = client.receive()?;
        }
    }

    fn note(&mut self, job: Job) {
        self.view.show(&job);
        if let Some(line) = self.tally.as_mut().and_then(|tally| tally.note(&job)) {
            self.view.say(&line);
        }
        self.watched.insert(job.id, job);
    }

    fn timed_out(&self) -> Failure {
        let jobs = self.watched.values().filter(|job| !job.is_finished());
        let (is, away) = if self.reconnection.is_lost() {
            ("was", " while framepackd is away")
        } else {
            ("is", "")
        };
        let unfinished = jobs.map(|job| format!("{} {is} {}", job.id, job.state.name()));
        let unfinished = unfinished.collect::<Vec<_>>().join(", ");
        let message = format!("--timeout elapsed{away}: {unfinished}");
        Failure::new(ErrorBody::new(Code::TIMEOUT, message))
    }
}

/// A connection whose answers may come as late as the wait may last.
fn connect(daemon: &Daemon, reconnection: &Reconnection) -> Result<Client, ClientError> {
    let mut client = daemon.connect_before(reconnection.deadline())?;
    client.set_deadline(reconnection.deadline());
    Ok(client)
}

fn until_idle(mut reconnection: Reconnection, daemon: &Daemon) -> Result<Exit, Failure> {
    loop {
        let Err(error) = idle(&mut reconnection, daemon) else {
            return Ok(Exit::Ok);
        };
        match reconnection.lost(error, remark) {
            Ok(()) => {}
            Err(GivenUp::TimedOut) => {
                let message = "--timeout elapsed: the farm is not idle";
                return Err(Failure::new(ErrorBody::new(Code::TIMEOUT, message)));
            }
            Err(given_up) => return Err(given_up.into()),
        }
    }
}

/// Waits as long as the daemon is there. It says nothing before the farm is idle, so that it is asked for something else
/// first.
fn idle(reconnection: &mut Reconnection, daemon: &Daemon) -> Result<(), ClientError> {
    let mut client = daemon.connect_before(reconnection.deadline())?;
    let jobs = vec![Selector::State(StateName::Running)];
    client.jobs(&Request::Show(SelectRequest { jobs }))?;
    reconnection.answered(remark);
    client.set_deadline(reconnection.deadline());
    match client.call(&Request::Stream(Stream::Idle))? {
        Response::End => Ok(()),
        _ => Err(ClientError::Unexpected),
    }
}

fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.map(|timeout| Instant::now() + timeout)
}
