//! What became of a claimed file.

use framepack_jobs::Job;

use super::{file::PendingFile, queue_link::QueueAnswer};
use crate::{
    folder::dropped::Rejection,
    queue::{SubmitError, Submitted},
};

/// A claimed file that has its answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) file: PendingFile,
    pub(crate) verdict: Verdict,
}

/// The answer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is in the queue.
    Jobs,
    /// It is a job already.
    Duplicate {
        job: Box<Job>,
        /// With which settings it would be rendered now instead of its job's.
        difference: Vec<String>,
    },
    Rejected(Rejection),
}

impl Verdict {
    /// What a file is whose jobs were answered like this. One that the queue has no room for holds up the file; one
    /// that is new makes it a file of the queue's, whatever the others are.
    pub(super) fn of(answers: Vec<QueueAnswer>) -> Result<Self, SubmitError> {
        let mut verdict = Self::Jobs;
        let mut is_new = false;
        for answer in answers {
            match answer? {
                Submitted::New(_) => is_new = true,
                Submitted::Duplicate { job, difference } => {
                    verdict = Self::Duplicate { job, difference };
                }
                Submitted::KeyTaken(job) => {
                    let difference = Vec::new();
                    verdict = Self::Duplicate { job, difference };
                }
            }
        }
        Ok(if is_new { Self::Jobs } else { verdict })
    }
}
