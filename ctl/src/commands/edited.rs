//! What became of jobs that were to be other ones, or to be removed.

use framepack_ipc::{
    Exit, client::ClientError, control::Response, edit::Edited, queue::ChangeOutcome,
};
use framepack_jobs::Job;

use super::many::{Named, worst};
use crate::{failure::Failure, output::Output};

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
    let jobs: Vec<Job> = jobs.into_iter().map(|edited| *edited.changed.job).collect();
    output.jobs(&jobs, remarks)?;
    Ok(exit)
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
