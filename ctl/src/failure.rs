//! Why a command failed, and how the user is told.

use std::io;

use framepack_ipc::{ErrorBody, ErrorEnvelope, Exit, client::ClientError};
use framepack_jobs::Code;

use crate::output::Output;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error for the user, from the daemon or from here.
    Error(Box<ErrorEnvelope>),
    /// Standard output can't be written.
    Stdout(io::Error),
    /// A user interrupted the command before it had done anything.
    Interrupted,
}

impl Failure {
    /// An error from here.
    pub(crate) fn new(error: ErrorBody) -> Self {
        Self::Error(Box::new(error.into()))
    }

    /// The error in a line, without what to do about it.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Error(envelope) => {
                let error = &envelope.error;
                error.code.behind(&error.message)
            }
            Self::Stdout(error) => error.to_string(),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    /// Tells the user: JSON on stdout if that was asked for, text on stderr otherwise.
    pub(crate) fn report(self, output: &Output) -> Exit {
        let envelope = match self {
            Self::Error(envelope) => envelope,
            // The reader of our output has closed it.
            Self::Stdout(err) if err.kind() == io::ErrorKind::BrokenPipe => return Exit::Ok,
            Self::Interrupted => return Exit::Interrupted,
            Self::Stdout(err) => {
                let message = format!("writing to standard output: {err}");
                Box::new(ErrorBody::new(Code::UNWRITABLE_FILE, message).into())
            }
        };
        // When even this can't be written, the exit code has to do.
        let _ = output.error(&envelope);
        envelope.error.class.into()
    }
}

impl From<io::Error> for Failure {
    fn from(err: io::Error) -> Self {
        Self::Stdout(err)
    }
}

impl From<ClientError> for Failure {
    fn from(err: ClientError) -> Self {
        let message = err.to_string();
        let error = match err {
            ClientError::Refused(envelope) => return Self::Error(envelope),
            ClientError::Unreachable { error, .. }
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                ErrorBody::new(Code::SOCKET_NOT_PERMITTED, message)
            }
            ClientError::Unreachable { .. } => ErrorBody::new(Code::UNREACHABLE, message),
            ClientError::TimedOut | ClientError::Closed | ClientError::Broken(_) => {
                ErrorBody::new(Code::UNREACHABLE, message)
                    .hint("the daemon's log says more; try again once it is up")
            }
            ClientError::Codec(_) | ClientError::Unexpected => {
                ErrorBody::new(Code::BAD_MESSAGE, message)
            }
        };
        Self::new(error)
    }
}
