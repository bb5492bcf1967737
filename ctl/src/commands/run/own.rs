//! A job in a daemon that is started for it: anew, or to go on where an earlier one ended.

use std::{
    env,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use framepack_ipc::{
    ErrorBody, Exit,
    control::{ListRequest, Request, Response, SelectRequest, SubmitRequest},
    queue::{Change, ChangeOutcome, ChangeRequest, Scope},
};
use framepack_jobs::{Code, Job, JobState, Selector};

use super::session::{Session, Submitted, client};
use crate::{
    daemon::Daemon,
    deadline::Deadline,
    delivery::{Existing, How, Target},
    event::Ownership,
    failure::Failure,
    follow::{Ended, no_outage},
    interrupt::spawn,
    one_off::{ModelChoice, OneOff, RunFolder},
    output::remark,
};

/// Time between two looks at a daemon that ends.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// What the daemon is started for.
pub(super) struct Wanted<'a> {
    pub(super) request: SubmitRequest,
    pub(super) models: ModelChoice,
    pub(super) target: &'a Target,
}

pub(super) fn run(session: &Session<'_>, wanted: &Wanted<'_>) -> Result<Exit, Failure> {
    RunFolder::tell_of_earlier();
    let folder = RunFolder::create(&wanted.models, &wanted.request.folder).map_err(Failure::new)?;
    let own = OneOff::start(folder.clone(), &session.inbox);
    let mut own = own.inspect_err(|_| folder.clone().remove())?;
    match submit(session, &own.daemon(), wanted) {
        Ok(submitted) => {
            let noted = folder.note_job(&wanted.target.path());
            noted.map_err(Failure::new)?;
            drop(folder);
            finish(session, own, submitted, wanted.target)
        }
        Err(failure) => {
            // That the daemon has ended says more than that it does not answer.
            let failure = own.check().err().unwrap_or(failure);
            own.stop().remove();
            Err(failure)
        }
    }
}

/// Submits the job, if it can be rendered there. A job that is refused is told first: models take longer to get than a key
/// to correct.
fn submit(
    session: &Session<'_>,
    daemon: &Daemon,
    wanted: &Wanted<'_>,
) -> Result<Submitted, Failure> {
    let submitted = session.submit(daemon, &wanted.request)?;
    if !submitted.job.schedule.after.is_empty() {
        let message = "after: a daemon for one job has no other that could come first";
        let hint =
            "leave `after` out; `framepackctl init` writes a folder for a daemon with many jobs";
        return Err(Failure::new(
            ErrorBody::new(Code::USAGE, message).hint(hint),
        ));
    }
    no_outage(daemon).map_err(|outage| with_demo(outage, &wanted.models))?;
    Ok(submitted)
}

/// Goes on with the job of an earlier run.
pub(super) fn resume(
    session: &Session<'_>,
    folder: &Path,
    target: Option<Target>,
) -> Result<Exit, Failure> {
    let folder = RunFolder::open(folder).map_err(Failure::new)?;
    let target = target.map_or_else(|| noted_target(&folder), Ok);
    let target = &target.map_err(Failure::new)?;
    let daemon = folder.daemon();
    if daemon.connect().is_ok() {
        return follow_left(session, folder, target);
    }
    let own = OneOff::start(folder, &session.inbox)?;
    let submitted = queued_again(&daemon)?;
    finish(session, own, submitted, target)
}

/// Where the earlier run was to put the video.
fn noted_target(folder: &RunFolder) -> Result<Target, ErrorBody> {
    match folder.video() {
        Some(video) => Target::new(&video, Existing::Keep),
        None => Target::here(),
    }
}

/// Goes on with a job that was left running: its daemon ends by itself, and its video is delivered then.
fn follow_left(session: &Session<'_>, folder: RunFolder, target: &Target) -> Result<Exit, Failure> {
    let daemon = folder.daemon();
    let submitted = queued_again(&daemon)?;
    match session.follow(&daemon, (Ownership::Left, Deadline::NEVER), submitted.job)? {
        Ended::Finished(job) => {
            while daemon.connect().is_ok() {
                thread::sleep(LOOK_PAUSE);
            }
            let ended = Submitted { job, ..submitted };
            deliver(session, folder, ended, target)
        }
        Ended::Left(_) | Ended::Stopped | Ended::GivenUp => {
            folder.tell_how_to_go_on();
            Ok(Exit::Interrupted)
        }
    }
}

/// The last job of a daemon, which goes on if it has ended without a video.
fn queued_again(daemon: &Daemon) -> Result<Submitted, Failure> {
    let list = Request::List(ListRequest::default());
    let jobs = daemon.jobs(&list)?.into_iter();
    let Some(job) = jobs.max_by_key(|job| job.id) else {
        let message = "no job was submitted in that run";
        let error = ErrorBody::new(Code::NO_SUCH_JOB, message);
        return Err(Failure::new(
            error.hint("there is nothing to go on with: remove the folder"),
        ));
    };
    let jobs = vec![Selector::Id(job.id)];
    if job.state.name().is_finished() && !matches!(job.state, JobState::Done { .. }) {
        let scope = Scope::Jobs(jobs.clone());
        let change = Change::Retry { from_start: false };
        let changed = daemon.ask(&Request::Change(ChangeRequest { scope, change }))?;
        if let Response::Changed { jobs, .. } = changed
            && let [refused] = jobs.as_slice()
            && refused.outcome == ChangeOutcome::Refused
        {
            let remark = refused.remark.as_deref().unwrap_or("can't be queued again");
            let message = format!("job {} {remark}", job.id);
            return Err(Failure::new(ErrorBody::new(Code::JOB_ENDED, message)));
        }
    }
    let now = daemon.jobs(&Request::Show(SelectRequest { jobs }))?.pop();
    Ok(Submitted {
        job: Box::new(now.unwrap_or(job)),
        remarks: Vec::new(),
    })
}

fn finish(
    session: &Session<'_>,
    mut own: OneOff,
    submitted: Submitted,
    target: &Target,
) -> Result<Exit, Failure> {
    let daemon = own.daemon();
    let ended = match session.follow(&daemon, (Ownership::Own, Deadline::NEVER), submitted.job) {
        Ok(ended) => ended,
        Err(failure) => {
            let failure = own.check_soon().err().unwrap_or(failure);
            own.stop().tell_how_to_go_on();
            return Err(failure);
        }
    };
    match ended {
        Ended::Finished(job) => {
            let ended = Submitted { job, ..submitted };
            deliver(session, own.stop(), ended, target)
        }
        Ended::Left(job) => leave(own, &job, target),
        Ended::Stopped => {
            own.stop().tell_how_to_go_on();
            Ok(Exit::Interrupted)
        }
        // It was cancelled, so that nobody wants what there is of it.
        Ended::GivenUp => {
            own.stop().remove();
            Ok(Exit::Interrupted)
        }
    }
}

/// Leaves the job to its daemon, and the delivery of its video to another framepackctl.
fn leave(own: OneOff, job: &Job, target: &Target) -> Result<Exit, Failure> {
    let client = client(&own.daemon());
    // It is the other's from here on.
    let folder = own.let_go()?.path().to_owned();
    let (id, mut video) = (job.id, target.path_of(&job.output));
    if let Err(error) = start_delivery(&folder, target) {
        remark(&format!("warning: nobody will deliver the video: {error}"));
        video.clone_from(&job.output);
    }
    let video = video.display();
    remark(&format!(
        "job {id} goes on; its video will be {video}; to follow it: {client} wait {id}"
    ));
    Ok(Exit::Interrupted)
}

/// Starts a framepackctl that outlives this one.
fn start_delivery(folder: &Path, target: &Target) -> io::Result<()> {
    let log = File::options()
        .append(true)
        .open(folder.join("framepackd.log"))?;
    let mut delivery = Command::new(env::current_exe()?);
    delivery
        .args(["run", "--resume"])
        .arg(folder)
        .args(target.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0);
    spawn(&mut delivery).map(drop)
}

/// Puts a finished job's video where it is wanted. What a failure has left is kept.
fn deliver(
    session: &Session<'_>,
    folder: RunFolder,
    ended: Submitted,
    target: &Target,
) -> Result<Exit, Failure> {
    let Submitted { mut job, remarks } = ended;
    let delivered = moved(&mut job, target);
    if delivered.is_err() || matches!(job.state, JobState::Failed { .. }) {
        folder.tell_how_to_go_on();
        delivered.map_err(Failure::new)?;
    } else {
        folder.remove();
    }
    session.tell(&job, remarks)
}

fn moved(job: &mut Job, target: &Target) -> Result<(), ErrorBody> {
    let Some(result) = job.state.result_mut() else {
        return Ok(());
    };
    result.video = target.put(&result.video, How::Move)?;
    job.output.clone_from(&result.video);
    // It goes with the folder.
    result.contact_sheet = PathBuf::new();
    Ok(())
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
