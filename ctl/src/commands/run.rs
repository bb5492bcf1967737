//! `run`: one job from its files to its video, in the daemon that is there or in one of its own.

mod request;

use std::{
    io,
    path::Path,
    sync::mpsc::{self, Receiver, Sender},
};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope, Exit,
    client::ClientError,
    control::{DEFAULT_SOCKET, Request, Response, SubmitRequest},
};
use framepack_jobs::{Code, Job, JobState};

use super::submit::remarks;
use crate::{
    cli::{Bundle, Run},
    daemon::Daemon,
    delivery::{Existing, How, Target},
    event::{Event, Ownership},
    failure::Failure,
    follow::{Ended, Follow, no_outage},
    interrupt,
    one_off::{OneOff, RunFolder},
    output::{Format, Output, print_lines, remark},
};

pub(crate) fn run(arguments: &Run, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = request::of(arguments).map_err(Failure::new)?;
    let target = arguments.target().map_err(Failure::new)?;
    let (events, inbox) = mpsc::channel();
    interrupt::listen(events.clone()).map_err(|error| {
        let message = format!("listening for signals: {error}");
        Failure::new(ErrorBody::new(Code::INTERNAL, message))
    })?;
    let run = Running {
        request,
        events,
        inbox,
        output,
    };
    let is_there = arguments.models.is_none() && is_there(daemon)?;
    if is_there {
        return run.in_shared(daemon, target.as_ref());
    }
    let models = arguments.models.as_ref().map(Bundle::folder);
    let models = models.transpose().map_err(Failure::new)?;
    let target = target.map_or_else(Target::here, Ok).map_err(Failure::new)?;
    run.in_own(models.as_deref(), &target)
}

impl Run {
    fn target(&self) -> Result<Option<Target>, ErrorBody> {
        let existing = if self.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let target = self.output.as_ref();
        target.map(|path| Target::new(path, existing)).transpose()
    }
}

/// Whether a daemon answers there. One that may not be used is one.
fn is_there(daemon: &Daemon) -> Result<bool, Failure> {
    match daemon.connect() {
        Ok(_) => Ok(true),
        Err(ClientError::Unreachable { error, .. })
            if error.kind() != io::ErrorKind::PermissionDenied =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// A job that is to be rendered, and what happens meanwhile.
struct Running<'a> {
    request: SubmitRequest,
    events: Sender<Event>,
    inbox: Receiver<Event>,
    output: &'a Output,
}

impl Running<'_> {
    fn in_shared(self, daemon: &Daemon, target: Option<&Target>) -> Result<Exit, Failure> {
        let (job, remarks) = self.submit(daemon)?;
        match self.follow(daemon, Ownership::Shared, job)? {
            Ended::Finished(mut job) => {
                if let Some(target) = target {
                    deliver(&mut job, target, How::Copy)?;
                }
                tell(&job, remarks, self.output)
            }
            Ended::Left(job) => {
                let id = job.id;
                remark(&format!(
                    "job {id} goes on; to follow it: {} wait {id}",
                    client(daemon)
                ));
                Ok(Exit::Interrupted)
            }
            Ended::GivenUp => Ok(Exit::Interrupted),
        }
    }

    fn in_own(self, models: Option<&Path>, target: &Target) -> Result<Exit, Failure> {
        let mut own = OneOff::start(models, &self.inbox)?;
        let daemon = own.daemon();
        let mended = no_outage(&daemon).map_err(|outage| with_demo(outage, models));
        let (job, remarks) = match mended.and_then(|()| self.submit(&daemon)) {
            Ok(submitted) => submitted,
            Err(failure) => {
                // That the daemon has ended says more than that it does not answer.
                own.check()?;
                own.stop().remove();
                return Err(failure);
            }
        };
        let ended = match self.follow(&daemon, Ownership::Own, job) {
            Ok(ended) => ended,
            Err(failure) => {
                let failure = own.check().err().unwrap_or(failure);
                kept(&own.stop());
                return Err(failure);
            }
        };
        match ended {
            Ended::Finished(mut job) => {
                let folder = own.stop();
                let delivered = deliver(&mut job, target, How::Move);
                if delivered.is_err() || matches!(job.state, JobState::Failed { .. }) {
                    kept(&folder);
                    delivered?;
                } else {
                    folder.remove();
                }
                tell(&job, remarks, self.output)
            }
            Ended::Left(job) => {
                let (id, client) = (job.id, client(&daemon));
                let video = job.output.display();
                remark(&format!(
                    "job {id} goes on; its video will be {video}; to follow it: {client} wait {id}"
                ));
                own.let_go()?;
                Ok(Exit::Interrupted)
            }
            Ended::GivenUp => {
                kept(&own.stop());
                Ok(Exit::Interrupted)
            }
        }
    }

    /// The job, and what the user should know of it.
    fn submit(&self, daemon: &Daemon) -> Result<(Box<Job>, Vec<String>), Failure> {
        let request = Request::Submit(self.request.clone());
        let Response::Submitted(submission) = daemon.ask(&request)? else {
            return Err(ClientError::Unexpected.into());
        };
        let remarks = remarks(&submission);
        self.output.warn(&remarks)?;
        Ok((submission.job, remarks))
    }

    fn follow(
        &self,
        daemon: &Daemon,
        ownership: Ownership,
        job: Box<Job>,
    ) -> Result<Ended, Failure> {
        let follow = Follow {
            daemon,
            ownership,
            events: &self.events,
            inbox: &self.inbox,
        };
        follow.until_ended(job)
    }
}

/// What else can be done about models that are missing, where none were named.
fn with_demo(outage: Failure, models: Option<&Path>) -> Failure {
    let Failure::Error(mut envelope) = outage else {
        return outage;
    };
    if models.is_none()
        && let Some(hint) = &mut envelope.error.hint
    {
        hint.push_str("; or try the small ones that come with framepackd: `--models demo`");
    }
    Failure::Error(envelope)
}

/// Puts a finished job's video where it was wanted.
fn deliver(job: &mut Job, target: &Target, how: How) -> Result<(), Failure> {
    if let JobState::Done { result, .. } = &mut job.state {
        result.video = target.put(&result.video, how).map_err(Failure::new)?;
        job.output.clone_from(&result.video);
    }
    Ok(())
}

/// Names a folder that may help to see what went wrong.
fn kept(folder: &RunFolder) {
    let (path, config) = (folder.path().display(), folder.config());
    remark(&format!(
        "the job's state and framepackd.log are kept in {path}; to go on with it: framepackd --config {}; remove it when you \
         have seen it",
        config.display()
    ));
}

/// How to speak to this daemon.
fn client(daemon: &Daemon) -> String {
    if daemon.socket == Path::new(DEFAULT_SOCKET) {
        return "framepackctl".to_owned();
    }
    format!("framepackctl --socket {}", daemon.socket.display())
}

/// Prints the video's path, or why there is none.
fn tell(job: &Job, remarks: Vec<String>, output: &Output) -> Result<Exit, Failure> {
    match (&output.format, &job.state) {
        (Format::Json | Format::Fields(_), _) => {
            output.records("JobList", std::slice::from_ref(job), remarks)?;
        }
        (Format::Text, JobState::Done { result, .. }) => {
            print_lines(&[result.video.display().to_string()])?;
        }
        (Format::Text, JobState::Failed { failure, .. } | JobState::Expired { failure, .. }) => {
            let error = ErrorEnvelope::from(ErrorBody::from(failure.clone()));
            error.tell(&mut io::stderr())?;
        }
        (Format::Text, state) => remark(&format!("job {} is {}", job.id, state.name())),
    }
    Ok(Exit::of_finished([job]))
}
