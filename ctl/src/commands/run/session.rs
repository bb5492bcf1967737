//! One `run`: the signals and news that it gets, and what it tells.

use std::{
    path::Path,
    sync::mpsc::{self, Receiver, Sender},
};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope, Exit,
    client::ClientError,
    control::{DEFAULT_SOCKET, Request, Response, SubmitRequest},
    text::shell_quoted,
};
use framepack_jobs::{Code, Job, JobState, RenderOutput, Timestamp};

use crate::{
    commands::{submit::remarks, wait::say_unexpected},
    daemon::Daemon,
    deadline::Deadline,
    event::{Event, Ownership},
    failure::Failure,
    follow::{Ended, Follow},
    interrupt,
    output::{Format, Output, remark},
    rows::told,
};

/// What happens while a job is rendered, and where results are printed.
pub(super) struct Session<'a> {
    events: Sender<Event>,
    pub(super) inbox: Receiver<Event>,
    output: &'a Output,
}

/// A job that was handed over, and what the user should know of it.
pub(super) struct Submitted {
    pub(super) job: Box<Job>,
    pub(super) remarks: Vec<String>,
}

impl<'a> Session<'a> {
    /// From now on signals are events.
    pub(super) fn begin(output: &'a Output) -> Result<Self, Failure> {
        let (events, inbox) = mpsc::channel();
        interrupt::listen(events.clone()).map_err(|error| {
            let message = format!("listening for signals: {error}");
            Failure::new(ErrorBody::new(Code::INTERNAL, message))
        })?;
        Ok(Self {
            events,
            inbox,
            output,
        })
    }

    pub(super) fn submit(
        &self,
        daemon: &Daemon,
        request: &SubmitRequest,
    ) -> Result<Submitted, Failure> {
        let Response::Submitted(submission) = daemon.ask(&Request::Submit(request.clone()))? else {
            return Err(ClientError::Unexpected.into());
        };
        let remarks = remarks(&submission);
        self.output.warn(&remarks);
        Ok(Submitted {
            job: submission.job,
            remarks,
        })
    }

    pub(super) fn follow(
        &self,
        daemon: &Daemon,
        (ownership, deadline): (Ownership, Deadline),
        job: Box<Job>,
    ) -> Result<Ended, Failure> {
        let follow = Follow {
            daemon,
            ownership,
            deadline,
            events: &self.events,
            inbox: &self.inbox,
        };
        follow.until_ended(job)
    }

    /// Follows a job of a daemon that goes on without this command. An error says how to follow it again.
    pub(super) fn follow_shared(
        &self,
        daemon: &Daemon,
        deadline: Deadline,
        job: Box<Job>,
    ) -> Result<Ended, Failure> {
        let (id, client) = (job.id, client(daemon));
        let ended = self.follow(daemon, (Ownership::Shared, deadline), job);
        ended.inspect_err(|_| {
            remark(&format!(
                "job {id} was submitted; to follow it: {client} wait {id}"
            ));
        })
    }

    /// Prints the video's path, or why there is none.
    pub(super) fn tell(&self, job: &Job, remarks: Vec<String>) -> Result<Exit, Failure> {
        let jobs = std::slice::from_ref(job);
        let unexpected = say_unexpected(jobs, self.output);
        match self.output.format {
            Format::Text => self.tell_in_words(job)?,
            Format::Json | Format::Fields(_) => {
                let remarks = [remarks, unexpected].concat();
                self.output.records("JobList", jobs, remarks)?;
            }
        }
        Ok(Exit::of_finished([job]))
    }

    fn tell_in_words(&self, job: &Job) -> Result<(), Failure> {
        match &job.state {
            JobState::Done { result, .. } => {
                self.output.warn(&result.warnings);
                self.tell_of_video(job, result)
            }
            JobState::Cancelled {
                result: Some(result),
                ..
            } => {
                if !self.output.is_text_for_people() {
                    let partial = result.partial.as_ref();
                    let partial = partial.map(|partial| format!(": {partial}"));
                    let partial = partial.unwrap_or_default();
                    remark(&format!("job {} is cancelled{partial}", job.id));
                }
                self.tell_of_video(job, result)
            }
            JobState::Failed { failure, .. } | JobState::Expired { failure, .. } => {
                let error = ErrorEnvelope::from(ErrorBody::from(failure.clone()));
                Ok(self.output.tell_error(&error)?)
            }
            state => {
                remark(&format!("job {} is {}", job.id, state.name()));
                Ok(())
            }
        }
    }

    fn tell_of_video(&self, job: &Job, result: &RenderOutput) -> Result<(), Failure> {
        self.output.text(
            |terminal| told(job, terminal, Timestamp::now()),
            || vec![result.video.display().to_string()],
        )
    }
}

/// How to speak to this daemon.
pub(super) fn client(daemon: &Daemon) -> String {
    if daemon.socket == Path::new(DEFAULT_SOCKET) {
        return "framepackctl".to_owned();
    }
    format!("framepackctl --socket {}", shell_quoted(&daemon.socket))
}
