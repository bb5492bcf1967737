//! The blocking client: one connection to the daemon's socket.

use std::{
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use framepack_jobs::Job;
use interprocess::local_socket::{GenericFilePath, Stream, prelude::*};
use serde::Serialize;

use crate::{
    ErrorEnvelope,
    codec::{CodecError, Decoder, encode},
    control::{ClientInfo, Greeting, MAX_RESPONSE_BYTES, Request, Response},
};

/// Why the daemon did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("cannot reach framepackd at {path}: {error}", path = socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The connection broke.
    #[error("the connection to framepackd failed: {0}")]
    Broken(io::Error),
    /// The daemon hung up without an answer.
    #[error("framepackd closed the connection without an answer")]
    Closed,
    /// No answer before the deadline.
    #[error("framepackd did not answer in time")]
    TimedOut,
    /// What came is no answer.
    #[error("can't parse framepackd's answer: {0}")]
    Codec(#[from] CodecError),
    /// An answer to another question.
    #[error("framepackd's answer does not match the request")]
    Unexpected,
    /// The daemon refused, with its reason.
    #[error("{}", .0.error)]
    Refused(Box<ErrorEnvelope>),
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    decoder: Decoder,
    deadline: Option<Instant>,
}

impl Client {
    /// Connects to the socket at `path` and shakes hands, however long that takes.
    pub fn connect(path: &Path, me: ClientInfo) -> Result<Self, ClientError> {
        Self::connect_before(None, path, me)
    }

    /// The same, done before `deadline`, which then holds for the answers, too.
    pub fn connect_before(
        deadline: Option<Instant>,
        path: &Path,
        me: ClientInfo,
    ) -> Result<Self, ClientError> {
        let unreachable = |error| ClientError::Unreachable {
            socket: path.to_owned(),
            error,
        };
        let name = path.to_fs_name::<GenericFilePath>().map_err(unreachable)?;
        let mut client = Self {
            stream: Stream::connect(name).map_err(unreachable)?,
            decoder: Decoder::new(MAX_RESPONSE_BYTES),
            deadline,
        };
        match client.ask(&Greeting::Hello(me))? {
            Response::Hello(_) => Ok(client),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// From now on answers must come before this; `None` = whenever they come.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Sends a request and reads its first answer. A refusal is an error.
    pub fn call(&mut self, request: &Request) -> Result<Response, ClientError> {
        self.ask(request)
    }

    fn ask(&mut self, message: &impl Serialize) -> Result<Response, ClientError> {
        self.stream
            .write_all(&encode(message))
            .map_err(ClientError::Broken)?;
        self.receive()
    }

    /// The same for a list of jobs, which may come in parts.
    pub fn jobs(&mut self, request: &Request) -> Result<Vec<Job>, ClientError> {
        let mut all = Vec::new();
        let mut answer = self.call(request)?;
        loop {
            match answer {
                Response::MoreJobs { jobs } => all.extend(jobs),
                Response::Jobs { jobs } => {
                    all.extend(jobs);
                    return Ok(all);
                }
                _ => return Err(ClientError::Unexpected),
            }
            answer = self.receive()?;
        }
    }

    /// Reads the next answer.
    pub fn receive(&mut self) -> Result<Response, ClientError> {
        let mut chunk = [0; 16 << 10];
        loop {
            match self.decoder.message()? {
                Some(Response::Error(refusal)) => {
                    return Err(ClientError::Refused(Box::new(refusal)));
                }
                Some(response) => return Ok(response),
                None => {}
            }
            match self.read_before_deadline(&mut chunk)? {
                0 => return Err(ClientError::Closed),
                read => self.decoder.push(&chunk[..read]),
            }
        }
    }

    fn read_before_deadline(&mut self, chunk: &mut [u8]) -> Result<usize, ClientError> {
        loop {
            let left = self
                .deadline
                .map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(ClientError::TimedOut);
            }
            self.stream
                .set_recv_timeout(left)
                .map_err(ClientError::Broken)?;
            match self.stream.read(chunk) {
                Ok(read) => return Ok(read),
                // Timeouts end here and are told from early wake-ups by the clock above.
                Err(err)
                    if matches!(
                        err.kind(),
                        ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut
                    ) => {}
                Err(err) => return Err(ClientError::Broken(err)),
            }
        }
    }
}
