//! `drain`: no more jobs start, and the running ones are waited for. What it leaves is a paused queue.

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
    let ended = wait(&running, deadline, daemon)?;
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

/// These jobs once none of them runs any more.
fn wait(running: &[Job], deadline: Deadline, daemon: &Daemon) -> Result<Vec<Job>, Failure> {
    let mut watched: BTreeMap<JobId, Job> =
        running.iter().map(|job| (job.id, job.clone())).collect();
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let mut client = deadline
        .connect(daemon)
        .map_err(|error| deadline.failure(error))?;
    deadline.wait_with(&mut client);
    let mut progress = ProgressView::new();
    let ids = watched.keys().map(|id| Selector::Id(*id)).collect();
    let events = Stream::Events(SelectRequest { jobs: ids });
    let mut answer = client.call(&Request::Stream(events));
    loop {
        match answer {
            Ok(Response::Job(job)) => {
                progress.show(&job);
                watched.insert(job.id, *job);
            }
            Ok(Response::End) => break,
            Ok(_) => return Err(ClientError::Unexpected.into()),
            Err(ClientError::TimedOut) => return Err(timed_out(watched.values())),
            Err(err) => return Err(err.into()),
        }
        // Those that are back in the queue have not ended, and would be watched on.
        let is_over = watched.values().all(|job| !job.is(StateName::Running));
        if is_over && watched.values().any(|job| !job.is_finished()) {
            break;
        }
        answer = client.receive();
    }
    Ok(watched.into_values().collect())
}

fn timed_out<'j>(watched: impl Iterator<Item = &'j Job>) -> Failure {
    let running = watched.filter(|job| job.is(StateName::Running));
    let running: Vec<String> = running.map(|job| job.id.to_string()).collect();
    let running = running.join(", ");
    let message = format!(
        "--timeout elapsed, and still running: {running}; no other job starts until `framepackctl resume --all`"
    );
    Failure::new(ErrorBody::new(Code::TIMEOUT, message))
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
