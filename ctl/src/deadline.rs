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
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.map(|timeout| Instant::now() + timeout))
    }

    /// A connection whose next answer comes soon, and before then.
    pub(crate) fn connect(self, daemon: &Daemon) -> Result<Client, ClientError> {
        daemon.connect_before(self.0)
    }

    /// From now on answers to this client come at any time before then.
    pub(crate) fn wait_with(self, client: &mut Client) {
        client.set_deadline(self.0);
    }

    /// The answer to a request that does not wait for jobs.
    pub(crate) fn ask(self, daemon: &Daemon, request: &Request) -> Result<Response, Failure> {
        let answer = self.connect(daemon);
        let answer = answer.and_then(|mut client| client.call(request));
        answer.map_err(|error| self.failure(error))
    }

    pub(crate) fn has_passed(self) -> bool {
        self.0.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// No longer than is left until then.
    pub(crate) fn at_most(self, pause: Duration) -> Duration {
        let left = self
            .0
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(pause, |left| left.min(pause))
    }

    /// The same error for the user: that it has passed, if that is why there was no answer.
    pub(crate) fn failure(self, error: ClientError) -> Failure {
        if self.has_passed() && matches!(error, ClientError::TimedOut) {
            silent()
        } else {
            error.into()
        }
    }
}

/// `--timeout elapsed: …`
pub(crate) fn passed(what: &str) -> Failure {
    Failure::new(elapsed(what))
}

/// The same of a daemon that was there, and has gone.
pub(crate) fn passed_while_away(what: &str) -> Failure {
    let message = format!("--timeout elapsed while framepackd is away: {what}");
    Failure::new(ErrorBody::new(Code::TIMEOUT, message))
}

/// What is said where nothing is known of any job.
pub(crate) fn silent() -> Failure {
    let hint = "the daemon's log says more; what it was asked for may still be done";
    Failure::new(elapsed("framepackd has not answered").hint(hint))
}

fn elapsed(what: &str) -> ErrorBody {
    ErrorBody::new(Code::TIMEOUT, format!("--timeout elapsed: {what}"))
}
