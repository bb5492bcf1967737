//! Why a request has no answer, or no further one.

use std::io;

use framepack_ipc::{ErrorBody, ErrorEnvelope};
use framepack_jobs::Code;

use crate::queue::Stopping;

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The client is told why.
    Refused(ErrorEnvelope),
    /// The connection is of no more use.
    Broken(io::Error),
}

impl From<ErrorEnvelope> for Unanswered {
    fn from(refused: ErrorEnvelope) -> Self {
        Self::Refused(refused)
    }
}

impl From<ErrorBody> for Unanswered {
    fn from(refused: ErrorBody) -> Self {
        Self::Refused(refused.into())
    }
}

impl From<Stopping> for Unanswered {
    fn from(stopping: Stopping) -> Self {
        Self::Refused(stopping.into())
    }
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Stopping> for ErrorEnvelope {
    fn from(stopping: Stopping) -> Self {
        ErrorBody::new(Code::SHUTTING_DOWN, stopping.to_string()).into()
    }
}
