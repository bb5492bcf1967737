//! `run`: one job from its files to its video, in the daemon that is there or in one of its own.

use std::{
    io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender},
};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope, Exit,
    client::ClientError,
    control::{Request, Response, SubmitRequest},
};
use framepack_jobs::{Code, Job, JobState};
use serde_json::Value;

use super::submit::{read, remarks};
use crate::{
    cli::Run,
    daemon::Daemon,
    delivery::{Existing, How, Target},
    failure::Failure,
    follow::{Ended, Event, Follow, Ownership, no_outage},
    interrupt,
    one_off::{OneOff, RunFolder},
    output::{Format, Output, print_lines},
};

pub(crate) fn run(arguments: &Run, daemon: Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = request(arguments).map_err(Failure::new)?;
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
    let is_there = arguments.models.is_none() && is_there(&daemon)?;
    if is_there {
        return run.in_shared(&daemon, target.as_ref());
    }
    let models = arguments.models.as_ref().map(|models| models.folder());
    let models = models.transpose().map_err(Failure::new)?;
    let target = target.map_or_else(Target::here, Ok).map_err(Failure::new)?;
    run.in_own(models.as_deref(), &target)
}

impl Run {
    fn target(&self) -> Result<Option<Target>, ErrorBody> {
        let existing = match self.force {
            true => Existing::Replace,
            false => Existing::Keep,
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

/// What the daemon is given: a job file, or one made of the arguments.
fn request(arguments: &Run) -> Result<SubmitRequest, ErrorBody> {
    let seconds = arguments.seconds.iter();
    let seconds = seconds.map(|seconds| format!("length.seconds={seconds}"));
    let set: Vec<String> = seconds.chain(arguments.set.iter().cloned()).collect();
    match (&arguments.file, &arguments.image) {
        (Some(file), _) => read(file, &set),
        (None, Some(image)) => of_image(image, arguments.prompt.as_deref(), set),
        (None, None) => unreachable!("the command line requires one of them"),
    }
}

fn of_image(
    image: &Path,
    prompt: Option<&str>,
    set: Vec<String>,
) -> Result<SubmitRequest, ErrorBody> {
    let unreadable = |error: io::Error| {
        let path = image.display().to_string();
        ErrorBody::new(Code::UNREADABLE_FILE, format!("reading {path}: {error}")).path(path)
    };
    let absolute = std::path::absolute(image).map_err(unreadable)?;
    absolute.metadata().map_err(unreadable)?;
    // JSON is YAML, and quotes everything.
    let quoted = |text: &str| Value::from(text).to_string();
    let mut yaml = format!(
        "api: framepack/v1\nstart:\n  image: {}\n",
        quoted(&absolute.to_string_lossy())
    );
    if let Some(prompt) = prompt {
        yaml += &format!("prompt: {}\n", quoted(prompt));
    }
    let stem = absolute.file_stem().unwrap_or_default();
    Ok(SubmitRequest {
        yaml,
        stem: stem.to_string_lossy().into_owned(),
        folder: absolute.parent().map(PathBuf::from).unwrap_or_default(),
        set,
    })
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
        let (ended, remarks) = self.render(daemon, Ownership::Shared)?;
        match ended {
            Ended::Finished(mut job) => {
                if let Some(target) = target {
                    deliver(&mut job, target, How::Copy)?;
                }
                tell(&job, remarks, self.output)
            }
            Ended::Left(job) => {
                eprintln!("job {0} goes on; framepackctl wait {0}", job.id);
                Ok(Exit::Interrupted)
            }
            Ended::GivenUp => Ok(Exit::Interrupted),
        }
    }

    fn in_own(self, models: Option<&Path>, target: &Target) -> Result<Exit, Failure> {
        let mut own = OneOff::start(models, &self.inbox)?;
        let daemon = own.daemon();
        if let Err(outage) = no_outage(&daemon) {
            own.stop().remove();
            return Err(outage);
        }
        let rendered = self.render(&daemon, Ownership::Own);
        let (ended, remarks) = match rendered {
            Ok(rendered) => rendered,
            Err(failure) => {
                // That the daemon has ended says more than that it does not answer.
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
                eprintln!(
                    "job {} goes on; its video will be {}; framepackctl --socket {} wait {}",
                    job.id,
                    job.output.display(),
                    own.folder().socket().display(),
                    job.id,
                );
                own.let_go()?;
                Ok(Exit::Interrupted)
            }
            Ended::GivenUp => {
                kept(&own.stop());
                Ok(Exit::Interrupted)
            }
        }
    }

    fn render(
        &self,
        daemon: &Daemon,
        ownership: Ownership,
    ) -> Result<(Ended, Vec<String>), Failure> {
        let request = Request::Submit(self.request.clone());
        let Response::Submitted(submission) = daemon.ask(&request)? else {
            return Err(ClientError::Unexpected.into());
        };
        let remarks = remarks(&submission);
        self.output.warn(&remarks)?;
        let follow = Follow {
            daemon,
            ownership,
            events: &self.events,
            inbox: &self.inbox,
        };
        Ok((follow.until_ended(submission.job)?, remarks))
    }
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
    eprintln!(
        "the job's state is kept in {0} with {1}; to go on there: framepackd --config {2}; remove it when it is of no use",
        folder.path().display(),
        folder.log().file_name().unwrap_or_default().display(),
        folder.config().display(),
    );
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
        (Format::Text, state) => eprintln!("job {} is {}", job.id, state.name()),
    }
    Ok(Exit::of_finished([job]))
}
