//! `drain`: no more jobs start, and the running ones are waited for, also over a restart of the daemon. What it leaves is a
//! paused queue.

use std::collections::BTreeMap;

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest, Stream},
    queue::{Boundary, Change, ChangeRequest, Scope},
};
use framepack_jobs::{Code, Job, JobId, JobState, Selector, StateName};

use crate::{
    cli::Drain,
    daemon::Daemon,
    deadline::Deadline,
    failure::Failure,
    output::{Format, Output, remark},
    progress::ProgressView,
    reconnection::{GivenUp, Reconnection},
};

pub(crate) fn run(arguments: &Drain, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let deadline = Deadline::after(arguments.timeout);
    let at = Boundary::from(arguments.at);
    let running = pause(at, deadline, daemon)?;
    let say = |line: &str| {
        if output.format == Format::Text {
            remark(line);
        }
    };
    say(&format!(
        "no more jobs start; {}",
        match running.len() {
            0 => "none is running".to_owned(),
            count => format!("waiting for {}", jobs(count)),
        }
    ));
    let stuck = stuck(at, &running);
    output.warn(&stuck);
    let ended = Draining::of(running, deadline).ended(daemon)?;
    say(&summary(&ended, queued(deadline, daemon)?));
    output.jobs(&ended, stuck)?;
    Ok(Exit::Ok)
}

/// Has no more jobs start. Returns those that run.
fn pause(at: Boundary, deadline: Deadline, daemon: &Daemon) -> Result<Vec<Job>, Failure> {
    let request = Request::Change(ChangeRequest {
        scope: Scope::All,
        change: Change::Pause { at },
    });
    let Response::Changed { jobs, .. } = deadline.ask(daemon, &request)? else {
        return Err(ClientError::Unexpected.into());
    };
    Ok(jobs.into_iter().map(|changed| *changed.job).collect())
}

/// Jobs that stand still and would be waited for in vain.
fn stuck(at: Boundary, running: &[Job]) -> Vec<String> {
    let stands_still = |job: &&Job| matches!(job.state, JobState::Running { paused: true, .. });
    let stuck = running
        .iter()
        .filter(|job| at == Boundary::Job && stands_still(job));
    stuck
        .map(|Job { id, .. }| {
            format!("job {id} is paused and does not end by itself: use `framepackctl resume {id}`")
        })
        .collect()
}

/// The wait for the jobs that ran when the queue was paused.
#[derive(Debug)]
struct Draining {
    /// As they were told last.
    watched: BTreeMap<JobId, Job>,
    progress: ProgressView,
    reconnection: Reconnection,
}

impl Draining {
    /// The daemon has just told of these.
    fn of(running: Vec<Job>, deadline: Deadline) -> Self {
        let mut reconnection = Reconnection::before(deadline);
        reconnection.answered(remark);
        Self {
            watched: running.into_iter().map(|job| (job.id, job)).collect(),
            progress: ProgressView::new(),
            reconnection,
        }
    }

    /// The jobs once none of them runs any more.
    fn ended(mut self, daemon: &Daemon) -> Result<Vec<Job>, Failure> {
        while !self.watched.is_empty() {
            let Err(error) = self.watch(daemon) else {
                break;
            };
            match self
                .reconnection
                .lost(error, |line| self.progress.say(line))
            {
                Ok(()) => {}
                Err(GivenUp::TimedOut) => return Err(self.timed_out()),
                Err(given_up) => return Err(given_up.into()),
            }
        }
        Ok(self.watched.into_values().collect())
    }

    /// Watches the jobs as long as the daemon tells of them.
    fn watch(&mut self, daemon: &Daemon) -> Result<(), ClientError> {
        let deadline = self.reconnection.deadline();
        let mut client = deadline.connect(daemon)?;
        deadline.wait_with(&mut client);
        let jobs = self.watched.keys().map(|id| Selector::Id(*id)).collect();
        let events = Stream::Events(SelectRequest { jobs });
        let mut answer = client.call(&Request::Stream(events))?;
        loop {
            self.reconnection.answered(|line| self.progress.say(line));
            match answer {
                Response::Job(job) => {
                    self.progress.show(&job);
                    self.watched.insert(job.id, *job);
                }
                Response::End => return Ok(()),
                _ => return Err(ClientError::Unexpected),
            }
            // Those that are back in the queue have not ended, and would be watched on.
            let mut watched = self.watched.values();
            if !watched.any(|job| job.is(StateName::Running)) {
                return Ok(());
            }
            answer = client.receive()?;
        }
    }

    fn timed_out(&self) -> Failure {
        let running = self.watched.values();
        let running = running.filter(|job| job.is(StateName::Running));
        let running: Vec<String> = running.map(|job| job.id.to_string()).collect();
        let running = running.join(", ");
        let when = if self.reconnection.is_lost() {
            " while framepackd is away, and running before"
        } else {
            ", and still running"
        };
        let message = format!(
            "--timeout elapsed{when}: {running}; no other job starts until `framepackctl resume --all`"
        );
        Failure::new(ErrorBody::new(Code::TIMEOUT, message))
    }
}

/// How many jobs wait.
fn queued(deadline: Deadline, daemon: &Daemon) -> Result<u64, Failure> {
    match deadline.ask(daemon, &Request::Ping)? {
        Response::Pong(status) => Ok(status.queued),
        _ => Err(ClientError::Unexpected.into()),
    }
}

fn summary(ended: &[Job], queued: u64) -> String {
    let requeued = ended.iter().filter(|job| !job.is_finished()).count();
    let finished = ended.len() - requeued;
    let requeued = match requeued {
        0 => String::new(),
        count => format!(", {count} of which resume later"),
    };
    format!(
        "drained: {} ended, {queued} queued{requeued}; `framepackctl resume --all` has jobs start again",
        jobs(finished)
    )
}

fn jobs(count: usize) -> String {
    match count {
        1 => "1 job".to_owned(),
        _ => format!("{count} jobs"),
    }
}
