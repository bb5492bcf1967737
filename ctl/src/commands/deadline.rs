//! `--timeout`: until when a command waits, and what it says then.

use std::time::{Duration, Instant};

use framepack_ipc::{
    ErrorBody,
    client::{Client, ClientError},
    control::{Request, Response},
};
use framepack_jobs::Code;

use crate::{daemon::Daemon, failure::Failure};

/// When a command waits no longer; never, unless somebody said so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.map(|timeout| Instant::now() + timeout))
    }

    /// A connection whose answers come before then.
    pub(super) fn connect(self, daemon: &Daemon) -> Result<Client, Failure> {
        let mut client = daemon
            .connect_before(self.0)
            .map_err(|error| self.failure(error))?;
        client.set_deadline(self.0);
        Ok(client)
    }

    /// The answer to a request that does not wait for jobs.
    pub(super) fn ask(self, daemon: &Daemon, request: &Request) -> Result<Response, Failure> {
        let answer = daemon.connect_before(self.0);
        let answer = answer.and_then(|mut client| client.call(request));
        answer.map_err(|error| self.failure(error))
    }

    /// Whether the error is that it has passed.
    pub(super) fn is_passed(self, error: &ClientError) -> bool {
        let is_past = self.0.is_some_and(|deadline| deadline <= Instant::now());
        is_past && matches!(error, ClientError::TimedOut)
    }

    /// The same error for the user.
    pub(super) fn failure(self, error: ClientError) -> Failure {
        if self.is_passed(&error) {
            silent()
        } else {
            error.into()
        }
    }
}

/// `--timeout elapsed: …`
pub(super) fn passed(what: &str) -> Failure {
    Failure::new(elapsed(what))
}

/// What is said where nothing is known of any job.
pub(super) fn silent() -> Failure {
    let hint = "the daemon's log says more; what it was asked for may still be done";
    Failure::new(elapsed("framepackd has not answered").hint(hint))
}

fn elapsed(what: &str) -> ErrorBody {
    ErrorBody::new(Code::TIMEOUT, format!("--timeout elapsed: {what}"))
}
