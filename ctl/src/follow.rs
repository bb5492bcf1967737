//! One job followed until it has ended, or until a user leaves it.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use framepack_ipc::{
    ErrorBody,
    client::ClientError,
    control::{DaemonStatus, Note, Request, Response as Reply, SelectRequest, Stream, WorkerState},
    queue::{Change, ChangeRequest, Scope, Standing},
};
use framepack_jobs::{Job, JobId, JobState, Selector};

use crate::{
    daemon::Daemon,
    deadline::{Deadline, passed},
    event::{Event, Ownership},
    failure::Failure,
    interrupt::{Response, Stage, ask},
    output::remark,
    progress::ProgressView,
    reconnection::{GivenUp, Reconnection},
};

/// Time between two looks at why a job waits.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// How following a job ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The job has ended.
    Finished(Box<Job>),
    /// The job goes on without us.
    Left(Box<Job>),
    /// The job is to stop where it is, so that it can go on later.
    Stopped,
    /// The job is being cancelled, and a user did not wait for that.
    GivenUp,
}

/// A job on its way.
#[derive(Debug)]
pub(crate) struct Follow<'a> {
    pub(crate) daemon: &'a Daemon,
    pub(crate) ownership: Ownership,
    /// Until when it is followed; the job goes on then.
    pub(crate) deadline: Deadline,
    pub(crate) events: &'a Sender<Event>,
    pub(crate) inbox: &'a Receiver<Event>,
}

impl Follow<'_> {
    /// Shows the job until it has ended.
    pub(crate) fn until_ended(&self, mut job: Box<Job>) -> Result<Ended, Failure> {
        watch(self.daemon, &job, self.ownership, self.events.clone());
        let mut view = ProgressView::new();
        let mut stage = Stage::Following;
        let mut reason = None;
        loop {
            match self.inbox.recv_timeout(self.deadline.at_most(LOOK_PAUSE)) {
                Err(RecvTimeoutError::Timeout) if self.deadline.has_passed() => {
                    let what = format!("job {} is {}", job.id, job.state.name());
                    return Err(passed(&what));
                }
                Ok(Event::Job(now)) => {
                    view.show(&now);
                    job = now;
                }
                Ok(Event::End) => {
                    if stage == Stage::Asking {
                        // The question's line is not at its end.
                        remark("");
                    }
                    return Ok(Ended::Finished(job));
                }
                Ok(Event::Contact(line)) => view.say(&line),
                Ok(Event::Lost(error)) => return Err(error.into()),
                Ok(Event::Signal(signal)) => {
                    let response = Response::to(signal, stage, self.ownership);
                    if let Some(ended) = self.respond(response, &job, &mut stage, &mut view)? {
                        return Ok(ended);
                    }
                }
                Ok(Event::Answered(answer)) if stage == Stage::Asking => {
                    let response = Response::from(answer);
                    if let Some(ended) = self.respond(response, &job, &mut stage, &mut view)? {
                        return Ok(ended);
                    }
                }
                Err(RecvTimeoutError::Timeout) if stage == Stage::Following => {
                    self.look(&job, &mut view, &mut reason)?;
                }
                Ok(Event::Answered(_)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("a sender is in `self`"),
            }
        }
    }

    /// Does what a user wants. Returns how that ends it, if it does.
    fn respond(
        &self,
        response: Response,
        job: &Job,
        stage: &mut Stage,
        view: &mut ProgressView,
    ) -> Result<Option<Ended>, Failure> {
        Ok(match response {
            Response::Ask => {
                *stage = Stage::Asking;
                view.hide();
                ask(&job.id.to_string(), self.events.clone());
                None
            }
            Response::Cancel => {
                self.cancel(job, stage, view)?;
                None
            }
            Response::Leave => Some(Ended::Left(Box::new(job.clone()))),
            Response::Stop => Some(Ended::Stopped),
            Response::GiveUp => Some(Ended::GivenUp),
        })
    }

    fn cancel(&self, job: &Job, stage: &mut Stage, view: &mut ProgressView) -> Result<(), Failure> {
        if *stage == Stage::Asking {
            // The question's line may not be at its end.
            remark("");
        }
        *stage = Stage::Cancelling;
        view.unhide();
        view.say(&format!("cancelling job {}", job.id));
        let scope = Scope::Jobs(vec![Selector::Id(job.id)]);
        let change = Change::Cancel;
        self.daemon
            .ask(&Request::Change(ChangeRequest { scope, change }))?;
        Ok(())
    }

    /// Says why the job does not run yet. A daemon of its own is given up where it would wait for the farm to be mended.
    fn look(
        &self,
        job: &Job,
        view: &mut ProgressView,
        told: &mut Option<String>,
    ) -> Result<(), Failure> {
        if !matches!(job.state, JobState::Queued) {
            return Ok(());
        }
        if self.ownership == Ownership::Own {
            no_outage(self.daemon)?;
        }
        // Where it does not answer, those who watch the job say so.
        let Ok(Reply::Queue(queue)) = self.daemon.ask(&Request::Queue) else {
            return Ok(());
        };
        let mut entries = queue.jobs.into_iter();
        let Some(entry) = entries.find(|entry| entry.id == job.id) else {
            return Ok(());
        };
        let reason = match (entry.standing, entry.turn, queue.paused) {
            (Standing::Running | Standing::Paused, _, _) => return Ok(()),
            (_, Some(_), Some(paused)) => paused,
            // It is the only one, and its worker starts.
            (_, Some(_), None) if self.ownership == Ownership::Own => return Ok(()),
            (_, Some(turn), None) => format!("its turn is {turn}"),
            (_, None, _) => entry.reason,
        };
        if told.as_ref() != Some(&reason) {
            view.say(&format!("job {} waits: {reason}", job.id));
            *told = Some(reason);
        }
        Ok(())
    }
}

/// Refuses a farm that has to be mended before the next job can begin.
pub(crate) fn no_outage(daemon: &Daemon) -> Result<(), Failure> {
    let Reply::Pong(status) = daemon.ask(&Request::Ping)? else {
        return Err(ClientError::Unexpected.into());
    };
    match outage(status) {
        Some(note) => Err(Failure::new(ErrorBody::from(note))),
        None => Ok(()),
    }
}

/// What no job can begin for.
fn outage(status: DaemonStatus) -> Option<Note> {
    let is_out = status
        .workers
        .iter()
        .all(|worker| worker.outage.is_some() || matches!(worker.state, WorkerState::Faulty));
    let mut outages = status.outages.into_iter();
    let outage = outages.find(|outage| outage.devices.is_empty() || is_out)?;
    Some(Note {
        code: outage.code,
        message: outage.message,
        hint: outage.hint,
    })
}

/// Has the daemon tell of the job, in a thread. One that others use, too, may go away and come back meanwhile.
fn watch(daemon: &Daemon, job: &Job, ownership: Ownership, events: Sender<Event>) {
    let (daemon, id) = (daemon.clone(), job.id);
    thread::spawn(move || {
        let mut reconnection = Reconnection::before(Deadline::NEVER);
        // It has just told of the job.
        reconnection.answered(|_| {});
        let say = |line: &str| {
            // Nobody listens any more once the user has left.
            let _ = events.send(Event::Contact(line.to_owned()));
        };
        loop {
            let Err(error) = tell(&daemon, id, &mut reconnection, &events) else {
                return;
            };
            let given_up = match ownership {
                Ownership::Shared => reconnection.lost(error, say),
                Ownership::Own | Ownership::Left => Err(GivenUp::Error(error)),
            };
            if let Err(given_up) = given_up {
                let _ = events.send(Event::Lost(given_up.into()));
                return;
            }
        }
    });
}

/// Passes on what the daemon tells of the job, to its end, or until nobody listens.
fn tell(
    daemon: &Daemon,
    id: JobId,
    reconnection: &mut Reconnection,
    events: &Sender<Event>,
) -> Result<(), ClientError> {
    let mut client = daemon.connect()?;
    client.set_deadline(None);
    let jobs = vec![Selector::Id(id)];
    let request = Request::Stream(Stream::Events(SelectRequest { jobs }));
    let mut reply = client.call(&request)?;
    loop {
        reconnection.answered(|line| {
            let _ = events.send(Event::Contact(line.to_owned()));
        });
        let (event, is_last) = match reply {
            Reply::Job(job) => (Event::Job(job), false),
            Reply::End => (Event::End, true),
            _ => return Err(ClientError::Unexpected),
        };
        if events.send(event).is_err() || is_last {
            return Ok(());
        }
        reply = client.receive()?;
    }
}
