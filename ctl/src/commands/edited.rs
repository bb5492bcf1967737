//! What became of jobs that were to be other ones, or to be removed.

use framepack_ipc::{
    Exit, client::ClientError, control::Response, edit::Edited, queue::ChangeOutcome,
};

use super::many::{Named, worst};
use crate::failure::Failure;

/// The jobs of an answer.
pub(super) fn jobs(answer: Response) -> Result<Vec<Edited>, Failure> {
    match answer {
        Response::Edited { jobs } => Ok(jobs),
        _ => Err(ClientError::Unexpected.into()),
    }
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
