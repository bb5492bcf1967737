//! `wait`: until jobs are finished, or nothing is left to do.
//!
//! It outlives the daemon: after a restart it waits on for the same jobs, and sees which of them have ended meanwhile.

use std::collections::BTreeMap;

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest, Stream},
};
use framepack_jobs::{Job, JobId, Selector, StateName};

use crate::{
    cli::{Awaited, Wait},
    daemon::Daemon,
    deadline::{Deadline, passed, passed_while_away},
    failure::Failure,
    output::{Output, remark},
    progress::ProgressView,
    reconnection::{GivenUp, Reconnection},
    tally::Tally,
};

pub(crate) fn run(arguments: &Wait, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let reconnection = Reconnection::before(Deadline::after(arguments.timeout));
    let selectors = match arguments.awaited() {
        Awaited::Idle => return until_idle(reconnection, daemon),
        Awaited::Jobs(jobs) => jobs,
    };
    let deadline = reconnection.deadline();
    let meant = meant(selectors, deadline, daemon).map_err(|error| deadline.failure(error))?;
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
    deadline: Deadline,
    daemon: &Daemon,
) -> Result<Vec<Job>, Failure> {
    JobWait::of(vec![job], Reconnection::before(deadline)).finished(daemon)
}

/// The jobs that are meant now: later another one may be the last, or have failed.
fn meant(
    jobs: Vec<Selector>,
    deadline: Deadline,
    daemon: &Daemon,
) -> Result<Vec<Job>, ClientError> {
    let mut client = deadline.connect(daemon)?;
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
        let mut client = self.reconnection.deadline().connect(daemon)?;
        self.reconnection.deadline().wait_with(&mut client);
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
        let is = if self.reconnection.is_lost() {
            "was"
        } else {
            "is"
        };
        let unfinished = jobs.map(|job| format!("{} {is} {}", job.id, job.state.name()));
        let unfinished = unfinished.collect::<Vec<_>>().join(", ");
        if self.reconnection.is_lost() {
            passed_while_away(&unfinished)
        } else {
            passed(&unfinished)
        }
    }
}

fn until_idle(mut reconnection: Reconnection, daemon: &Daemon) -> Result<Exit, Failure> {
    loop {
        let Err(error) = idle(&mut reconnection, daemon) else {
            return Ok(Exit::Ok);
        };
        match reconnection.lost(error, remark) {
            Ok(()) => {}
            Err(GivenUp::TimedOut) => return Err(passed("the farm is not idle")),
            Err(given_up) => return Err(given_up.into()),
        }
    }
}

/// Waits as long as the daemon is there. It says nothing before the farm is idle, so that it is asked for something else
/// first.
fn idle(reconnection: &mut Reconnection, daemon: &Daemon) -> Result<(), ClientError> {
    let mut client = reconnection.deadline().connect(daemon)?;
    let jobs = vec![Selector::State(StateName::Running)];
    client.jobs(&Request::Show(SelectRequest { jobs }))?;
    reconnection.answered(remark);
    reconnection.deadline().wait_with(&mut client);
    match client.call(&Request::Stream(Stream::Idle))? {
        Response::End => Ok(()),
        _ => Err(ClientError::Unexpected),
    }
}
