//! `wait`: until jobs are finished, or nothing is left to do.

use std::collections::BTreeMap;

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest, Stream},
};
use framepack_jobs::{Job, JobId, Selector};

use super::deadline::{Deadline, passed, silent};
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
    let deadline = Deadline::after(arguments.timeout);
    let mut jobs = match arguments.awaited() {
        Awaited::Idle => return until_idle(deadline, daemon),
        Awaited::Jobs(jobs) => jobs,
    };
    let mut tally = None;
    if arguments.progress {
        let show = Request::Show(SelectRequest { jobs });
        let meant = deadline.connect(daemon)?.jobs(&show);
        let meant = meant.map_err(|error| deadline.failure(error))?;
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
    let finished = wait.finished(jobs, deadline, daemon)?;
    let exit = Exit::of_finished(&finished);
    output.jobs(&finished, Vec::new())?;
    Ok(exit)
}

/// The selected jobs once all of them are finished, with their progress shown meanwhile.
pub(crate) fn until_finished(
    jobs: Vec<Selector>,
    deadline: Deadline,
    daemon: &Daemon,
) -> Result<Vec<Job>, Failure> {
    let mut wait = JobWait {
        end: End::All,
        tally: None,
        view: ProgressView::new(),
        watched: BTreeMap::new(),
    };
    wait.finished(jobs, deadline, daemon)
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
        deadline: Deadline,
        daemon: &Daemon,
    ) -> Result<Vec<Job>, Failure> {
        let mut client = deadline.connect(daemon)?;
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

fn until_idle(deadline: Deadline, daemon: &Daemon) -> Result<Exit, Failure> {
    let mut client = deadline.connect(daemon)?;
    match client.call(&Request::Stream(Stream::Idle)) {
        Ok(Response::End) => Ok(Exit::Ok),
        Ok(_) => Err(ClientError::Unexpected.into()),
        Err(error) if deadline.is_passed(&error) => Err(passed("the farm is not idle")),
        Err(error) => Err(error.into()),
    }
}

fn timed_out<'j>(watched: impl Iterator<Item = &'j Job>) -> Failure {
    let unfinished: Vec<String> = watched
        .filter(|job| !job.is_finished())
        .map(|job| format!("{} is {}", job.id, job.state.name()))
        .collect();
    match unfinished.as_slice() {
        [] => silent(),
        unfinished => passed(&unfinished.join(", ")),
    }
}
