//! The connection to the daemon.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::{Client, ClientError},
    control::{ClientInfo, DEFAULT_SOCKET, Request, Response},
};
use framepack_jobs::Job;

/// How long an answer may take that does not wait for a job.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the daemon is.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    pub(crate) socket: PathBuf,
    pub(crate) choice: Choice,
}

/// Who says where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Somebody, or the environment.
    Named,
    /// Nobody: it is where an installed one is.
    Default,
}

impl Daemon {
    /// The one that was named, or the installed one.
    pub(crate) fn at(socket: Option<PathBuf>) -> Self {
        // An empty variable is none.
        match socket.filter(|socket| !socket.as_os_str().is_empty()) {
            Some(socket) => Self {
                socket,
                choice: Choice::Named,
            },
            None => Self {
                socket: DEFAULT_SOCKET.into(),
                choice: Choice::Default,
            },
        }
    }

    /// A connection whose next answer must come soon.
    pub(crate) fn connect(&self) -> Result<Client, ClientError> {
        self.connect_before(None)
    }

    /// The same, soon and before `deadline`.
    pub(crate) fn connect_before(&self, deadline: Option<Instant>) -> Result<Client, ClientError> {
        let me = ClientInfo::new(env!("CARGO_PKG_VERSION"));
        let soon = Instant::now() + ANSWER_TIMEOUT;
        let deadline = deadline.map_or(soon, |deadline| deadline.min(soon));
        Client::connect_before(Some(deadline), &self.socket, me)
    }

    /// The jobs that a request is answered with.
    pub(crate) fn jobs(&self, request: &Request) -> Result<Vec<Job>, ClientError> {
        self.connect()?.jobs(request)
    }

    /// The answer to one request.
    pub(crate) fn ask(&self, request: &Request) -> Result<Response, ClientError> {
        self.connect()?.call(request)
    }
}
