//! A job in a daemon that is started for it: anew, or to go on where an earlier one ended.

use std::path::{Path, PathBuf};

use framepack_ipc::{
    ErrorBody, Exit,
    control::{ListRequest, Request, SelectRequest, SubmitRequest},
    queue::{Change, ChangeRequest, Scope},
};
use framepack_jobs::{Code, Job, JobState, Selector};

use super::{
    session::{Session, Submitted, client},
    shared,
};
use crate::{
    daemon::Daemon,
    delivery::{How, Target},
    event::Ownership,
    failure::Failure,
    follow::{Ended, no_outage},
    one_off::{ModelChoice, OneOff, RunFolder},
    output::remark,
};

/// What the daemon is started for.
pub(super) struct Wanted<'a> {
    pub(super) request: SubmitRequest,
    pub(super) models: ModelChoice,
    pub(super) target: &'a Target,
}

pub(super) fn run(session: &Session<'_>, wanted: Wanted<'_>) -> Result<Exit, Failure> {
    let Wanted {
        mut request,
        models,
        target,
    } = wanted;
    name_output(&mut request, target);
    RunFolder::tell_of_earlier();
    let folder = RunFolder::create(&models, target.folder()).map_err(Failure::new)?;
    let own = OneOff::start(folder.clone(), &session.inbox).inspect_err(|failure| {
        if matches!(failure, Failure::Interrupted) {
            folder.clone().remove();
        }
    });
    let mut own = own?;
    let daemon = own.daemon();
    // A job that is refused is told first: models take longer to get than a key to correct.
    let submitted = session.submit(&daemon, &request).and_then(|submitted| {
        no_outage(&daemon)
            .map_err(|outage| with_demo(outage, &models))
            .map(|()| submitted)
    });
    match submitted {
        Ok(submitted) => finish(session, own, submitted, Some(target)),
        Err(failure) => {
            // That the daemon has ended says more than that it does not answer.
            own.check()?;
            own.stop().remove();
            Err(failure)
        }
    }
}

/// Goes on with the job of an earlier run.
pub(super) fn resume(
    session: &Session<'_>,
    folder: &Path,
    target: Option<&Target>,
) -> Result<Exit, Failure> {
    let folder = RunFolder::open(folder).map_err(Failure::new)?;
    let daemon = folder.daemon();
    let with_job = |job| Submitted {
        job,
        remarks: Vec::new(),
    };
    // It was left running.
    if daemon.connect().is_ok() {
        let job = queued_again(&daemon)?;
        return shared::follow(session, &daemon, with_job(job), target);
    }
    let own = OneOff::start(folder, &session.inbox)?;
    let job = queued_again(&own.daemon())?;
    finish(session, own, with_job(job), target)
}

/// The last job of a daemon, which goes on if it has ended without a video.
fn queued_again(daemon: &Daemon) -> Result<Box<Job>, Failure> {
    let list = Request::List(ListRequest { states: Vec::new() });
    let jobs = daemon.jobs(&list)?.into_iter();
    let Some(job) = jobs.max_by_key(|job| job.id) else {
        let message = "no job was submitted in that run: there is nothing to go on with";
        return Err(Failure::new(ErrorBody::new(Code::NO_SUCH_JOB, message)));
    };
    if job.state.name().is_finished() && !matches!(job.state, JobState::Done { .. }) {
        let scope = Scope::Jobs(vec![Selector::Id(job.id)]);
        let change = Change::Retry { from_start: false };
        daemon.ask(&Request::Change(ChangeRequest { scope, change }))?;
    }
    let show = Request::Show(SelectRequest {
        jobs: vec![Selector::Id(job.id)],
    });
    let now = daemon.jobs(&show)?.pop();
    Ok(Box::new(now.unwrap_or(job)))
}

fn finish(
    session: &Session<'_>,
    mut own: OneOff,
    submitted: Submitted,
    target: Option<&Target>,
) -> Result<Exit, Failure> {
    let daemon = own.daemon();
    let ended = match session.follow(&daemon, Ownership::Own, submitted.job) {
        Ok(ended) => ended,
        Err(failure) => {
            let failure = own.check_soon().err().unwrap_or(failure);
            own.stop().tell_how_to_go_on();
            return Err(failure);
        }
    };
    match ended {
        Ended::Finished(mut job) => {
            let folder = own.stop();
            let delivered = deliver(&mut job, &folder, target).map_err(Failure::new);
            if delivered.is_err() || matches!(job.state, JobState::Failed { .. }) {
                folder.tell_how_to_go_on();
                delivered?;
            } else {
                folder.remove();
                if let JobState::Done { result, .. } = &mut job.state {
                    // It was in there.
                    result.contact_sheet = PathBuf::new();
                }
            }
            session.tell(&job, submitted.remarks)
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
            own.stop().tell_how_to_go_on();
            Ok(Exit::Interrupted)
        }
    }
}

/// Puts a finished job's video where it is wanted, if the daemon could not write it there.
fn deliver(job: &mut Job, folder: &RunFolder, target: Option<&Target>) -> Result<(), ErrorBody> {
    let JobState::Done { result, .. } = &mut job.state else {
        return Ok(());
    };
    let is_away = folder.has(&result.video);
    let here = (is_away && target.is_none())
        .then(Target::here)
        .transpose()?;
    let target = target.or(here.as_ref());
    if let Some(target) = target.filter(|target| is_away || !target.is_name_of(&result.video)) {
        result.video = target.put(&result.video, How::Move)?;
        job.output.clone_from(&result.video);
    }
    Ok(())
}

/// Has the daemon itself give the video the name that is wanted, so that it gets there without us, too.
fn name_output(request: &mut SubmitRequest, target: &Target) {
    let settings = target.output_settings().into_iter();
    let is_new = |(key, _): &(&str, String)| {
        let prefix = format!("{key}=");
        !request.set.iter().any(|set| set.starts_with(&prefix))
    };
    let new: Vec<String> = settings
        .filter(is_new)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    request.set.extend(new);
}

/// What else can be done about models that are missing, where none were named.
fn with_demo(outage: Failure, models: &ModelChoice) -> Failure {
    let Failure::Error(mut envelope) = outage else {
        return outage;
    };
    if !matches!(models, ModelChoice::Folder(_))
        && let Some(hint) = &mut envelope.error.hint
    {
        hint.push_str("; or try the small ones that come with framepackd: `--models demo`");
    }
    Failure::Error(envelope)
}
