//! Why a command failed, and how the user is told.

use std::io::{self, ErrorKind};

use framepack_ipc::{ErrorBody, ErrorEnvelope, Exit};
use framepack_jobs::Code;

use crate::output::{Format, Output, json};

/// An error for the user.
#[derive(Debug)]
pub(crate) struct Failure(Box<ErrorEnvelope>);

impl Failure {
    /// Several as one; `None`: there are none.
    pub(crate) fn of(errors: Vec<ErrorBody>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let error = errors.next()?;
        let more = errors.collect();
        Some(Self(Box::new(ErrorEnvelope { error, more })))
    }

    /// A folder or file of the models that can't be used.
    pub(crate) fn folder(path: &std::path::Path, error: &io::Error) -> Self {
        let message = format!("{}: {error}", path.display());
        ErrorBody::new(Code::MODEL_FOLDER, message).into()
    }

    /// Tells the user: JSON on stdout if that was asked for, text on stderr otherwise.
    pub(crate) fn report(self, output: &Output) -> Exit {
        let told = match output.format {
            Format::Text => self.0.tell(&mut io::stderr()),
            Format::Json => json(&self.0).or_else(|_| self.0.tell(&mut io::stderr())),
        };
        // When even this can't be written, the exit code has to do.
        let _ = told;
        self.0.error.class.into()
    }
}

impl From<ErrorBody> for Failure {
    fn from(error: ErrorBody) -> Self {
        Self(Box::new(error.into()))
    }
}

impl From<io::Error> for Failure {
    /// Standard output that can't be written.
    fn from(error: io::Error) -> Self {
        let message = format!("standard output can't be written: {error}");
        let (code, hint) = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => (
                Code::FETCH_SPACE,
                "make room where the output goes, or send it elsewhere; what was fetched is kept",
            ),
            _ => (
                Code::INTERNAL,
                "send the output elsewhere; what was fetched is kept",
            ),
        };
        ErrorBody::new(code, message).hint(hint).into()
    }
}
