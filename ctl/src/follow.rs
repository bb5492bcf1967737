//! One job followed until it has ended, or until a user leaves it.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use framepack_ipc::{
    ErrorBody,
    client::{Client, ClientError},
    control::{DaemonStatus, Note, Request, Response as Reply, SelectRequest, Stream, WorkerState},
    queue::{Change, ChangeRequest, Scope, Standing},
};
use framepack_jobs::{Job, JobState, Selector};

use crate::{
    daemon::Daemon,
    event::{Answer, Event, Ownership},
    failure::Failure,
    interrupt::{Response, Stage, ask},
    output::remark,
    progress::ProgressView,
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
    pub(crate) events: &'a Sender<Event>,
    pub(crate) inbox: &'a Receiver<Event>,
}

impl Follow<'_> {
    /// Shows the job until it has ended.
    pub(crate) fn until_ended(&self, mut job: Box<Job>) -> Result<Ended, Failure> {
        watch(self.daemon, &job, self.events.clone())?;
        let mut view = ProgressView::new();
        let mut stage = Stage::Following;
        let mut reason = None;
        loop {
            match self.inbox.recv_timeout(LOOK_PAUSE) {
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
                Ok(Event::Lost(error)) => return Err(error.into()),
                Ok(Event::Signal(signal)) => match Response::to(signal, stage, self.ownership) {
                    Response::Ask => {
                        stage = Stage::Asking;
                        view.hide();
                        ask(&job.id.to_string(), self.events.clone());
                    }
                    Response::Cancel => self.cancel(&job, &mut stage, &mut view)?,
                    Response::Leave => return Ok(Ended::Left(job)),
                    Response::Stop => return Ok(Ended::Stopped),
                    Response::GiveUp => return Ok(Ended::GivenUp),
                },
                Ok(Event::Answered(answer)) if stage == Stage::Asking => match answer {
                    Answer::Leave => return Ok(Ended::Left(job)),
                    Answer::Cancel => self.cancel(&job, &mut stage, &mut view)?,
                },
                Err(RecvTimeoutError::Timeout) if stage == Stage::Following => {
                    self.look(&job, &mut view, &mut reason)?;
                }
                Ok(Event::Answered(_)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("a sender is in `self`"),
            }
        }
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
        let Reply::Queue(queue) = self.daemon.ask(&Request::Queue)? else {
            return Err(ClientError::Unexpected.into());
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

/// Has the daemon tell of the job, in a thread.
fn watch(daemon: &Daemon, job: &Job, events: Sender<Event>) -> Result<(), Failure> {
    let mut client = daemon.connect()?;
    client.set_deadline(None);
    let jobs = vec![Selector::Id(job.id)];
    let request = Request::Stream(Stream::Events(SelectRequest { jobs }));
    thread::spawn(move || {
        let mut event = next(client.call(&request));
        loop {
            let is_last = !matches!(event, Event::Job(_));
            if events.send(event).is_err() || is_last {
                return;
            }
            event = received(&mut client);
        }
    });
    Ok(())
}

fn received(client: &mut Client) -> Event {
    next(client.receive())
}

fn next(reply: Result<Reply, ClientError>) -> Event {
    match reply {
        Ok(Reply::Job(job)) => Event::Job(job),
        Ok(Reply::End) => Event::End,
        Ok(_) => Event::Lost(ClientError::Unexpected),
        Err(error) => Event::Lost(error),
    }
}
