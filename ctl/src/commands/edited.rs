//! What became of jobs that were to be other ones, or to be removed.

use framepack_ipc::{
    Exit, client::ClientError, control::Response, edit::Edited, queue::ChangeOutcome,
};
use framepack_jobs::{Job, JobId};
use serde_json::{Map, Value, json};

use super::many::{Named, worst};
use crate::{
    failure::Failure,
    output::{Format, Output},
};

/// The jobs of an answer.
pub(super) fn jobs(answer: Response) -> Result<Vec<Edited>, Failure> {
    match answer {
        Response::Edited { jobs } => Ok(jobs),
        _ => Err(ClientError::Unexpected.into()),
    }
}

/// Tells what became of jobs that are other ones now.
pub(super) fn tell(jobs: Vec<Edited>, named: &Named, output: &Output) -> Result<Exit, Failure> {
    let remarks = remarks(&jobs, named);
    let exit = exit(&jobs, named);
    output.warn(&remarks);
    let outcomes = outcomes(&jobs, "changed");
    let jobs: Vec<Job> = jobs.into_iter().map(|edited| *edited.changed.job).collect();
    match output.format {
        Format::Text => output.jobs(&jobs, remarks)?,
        Format::Json | Format::Fields(_) => {
            output.records_beside("JobList", &jobs, remarks, &outcomes)?;
        }
    }
    Ok(exit)
}

/// The jobs' numbers by what became of them, for programs; `done` is what was to be.
pub(super) fn outcomes(jobs: &[Edited], done: &str) -> Map<String, Value> {
    let with = |outcome| {
        let jobs = jobs.iter().map(|edited| &edited.changed);
        let jobs = jobs.filter(|changed| changed.outcome == outcome);
        jobs.map(|changed| changed.job.id).collect::<Vec<_>>()
    };
    Map::from_iter([
        (done.to_owned(), json!(with(ChangeOutcome::Changed))),
        (
            "unchanged".to_owned(),
            json!(with(ChangeOutcome::Unchanged)),
        ),
        ("refused".to_owned(), json!(with(ChangeOutcome::Refused))),
    ])
}

/// The same for one job that is as it was.
pub(super) fn as_it_was(job: JobId) -> Map<String, Value> {
    let mut outcomes = outcomes(&[], "changed");
    outcomes.insert("unchanged".to_owned(), json!([job]));
    outcomes
}

/// What the user should know of them, and of what is not there.
pub(super) fn remarks(jobs: &[Edited], named: &Named) -> Vec<String> {
    let remarks = jobs.iter().filter_map(|Edited { changed, .. }| {
        let remark = changed.remark.as_ref()?;
        Some(format!("job {} {remark}", changed.job.id))
    });
    remarks.chain(named.missing()).collect()
}

/// The worst of their ends.
pub(super) fn exit(jobs: &[Edited], named: &Named) -> Exit {
    let ends = jobs.iter().flat_map(|Edited { changed, errors }| {
        let is_refused = changed.outcome == ChangeOutcome::Refused;
        let unexplained = (is_refused && errors.is_empty()).then_some(Exit::Conflict);
        let explained = errors.iter().map(|error| Exit::from(error.class));
        explained.chain(unexplained)
    });
    ends.fold(named.exit(), worst)
}
