//! `submit`: hands a job file to the daemon.

use std::{
    env, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{Request, Response, Submission, SubmitOutcome, SubmitRequest},
};
use framepack_jobs::{Code, Job, MAX_FILE_BYTES, decode};

use super::wait::{say_unexpected, until_finished};
use crate::{cli::Submit, daemon::Daemon, deadline::Deadline, failure::Failure, output::Output};

pub(crate) fn run(arguments: &Submit, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::Submit(read(&arguments.file, &arguments.set).map_err(Failure::new)?);
    let deadline = Deadline::after(arguments.timeout);
    let Response::Submitted(submission) = deadline.ask(daemon, &request)? else {
        return Err(ClientError::Unexpected.into());
    };
    let remarks = remarks(&submission);
    output.warn(&remarks);
    if !arguments.wait {
        output.jobs(&[*submission.job], remarks)?;
        return Ok(Exit::Ok);
    }
    let finished = until_finished(*submission.job, deadline, daemon)?;
    let unexpected = say_unexpected(&finished, output);
    output.jobs(&finished, [remarks, unexpected].concat())?;
    Ok(Exit::of_finished(&finished))
}

/// What the user should know about a submission.
pub(super) fn remarks(submission: &Submission) -> Vec<String> {
    let job = &submission.job;
    let mut remarks = job.warnings.clone();
    match submission.outcome {
        SubmitOutcome::Created | SubmitOutcome::Unknown => {}
        SubmitOutcome::Duplicate => remarks.push(format!(
            "duplicate of job {}, which is {}; another seed, name or key makes a new job",
            job.id,
            job.state.name()
        )),
    }
    let differing = submission.settings_differ.iter();
    remarks.extend(differing.map(|difference| {
        format!(
            "job {} has other settings than this file would get with the current farm-wide defaults: {difference}",
            job.id
        )
    }));
    remarks
}

/// The file's text, what is set beside it, and the folder that its relative paths refer to.
pub(super) fn read(file: &Path, set: &[String]) -> Result<SubmitRequest, ErrorBody> {
    if file == Path::new("-") {
        let here = Path::new(".");
        return Ok(SubmitRequest {
            yaml: text(file, io::stdin().lock())?,
            folder: env::current_dir().map_err(|error| unreadable(here, &error))?,
            stem: "stdin".to_owned(),
            set: set.to_owned(),
        });
    }
    let absolute = std::path::absolute(file).map_err(|error| unreadable(file, &error))?;
    let opened = fs::File::open(&absolute).map_err(|error| unreadable(file, &error))?;
    let stem = absolute.file_stem().unwrap_or_default();
    Ok(SubmitRequest {
        yaml: text(file, opened)?,
        stem: stem.to_string_lossy().into_owned(),
        folder: absolute.parent().map(PathBuf::from).unwrap_or_default(),
        set: set.to_owned(),
    })
}

/// All of `source` as text, if it is not longer than a job file may be.
pub(super) fn text(file: &Path, source: impl Read) -> Result<String, ErrorBody> {
    let mut bytes = Vec::new();
    source
        .take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(file, &error))?;
    if bytes.len() > MAX_FILE_BYTES {
        let error = io::Error::other(format!("more than {MAX_FILE_BYTES} bytes"));
        return Err(unreadable(file, &error));
    }
    decode(&bytes).map_err(|error| {
        let path = file.display().to_string();
        ErrorBody::new(Code::JOB_FILE_NOT_TEXT, format!("{path}: {error}")).path(path)
    })
}

pub(super) fn unreadable(file: &Path, error: &io::Error) -> ErrorBody {
    let path = file.display().to_string();
    ErrorBody::new(Code::UNREADABLE_FILE, format!("reading {path}: {error}")).path(path)
}
