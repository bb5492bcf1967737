//! The blocking client: one connection to the daemon's socket.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use interprocess::local_socket::{GenericFilePath, Stream, prelude::*};

use crate::{
    ErrorEnvelope,
    codec::{CodecError, Decoder, encode},
    control::{ClientInfo, DaemonInfo, MAX_RESPONSE_BYTES, Request, Response},
};

/// Why the daemon did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("cannot reach framepackd at {path}: {source}", path = socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to framepackd broke: {0}")]
    Broken(#[source] io::Error),
    /// The daemon hung up without an answer.
    #[error("framepackd closed the connection without an answer")]
    Closed,
    /// What came is no answer.
    #[error("framepackd's answer is not understood: {0}")]
    Codec(#[from] CodecError),
    /// An answer to another question.
    #[error("framepackd's answer does not fit the request")]
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
    daemon: DaemonInfo,
}

impl Client {
    /// Connects to the socket at `path` and shakes hands.
    pub fn connect(path: &Path, me: ClientInfo) -> Result<Self, ClientError> {
        let unreachable = |source| ClientError::Unreachable {
            socket: path.to_owned(),
            source,
        };
        let name = path.to_fs_name::<GenericFilePath>().map_err(unreachable)?;
        let stream = Stream::connect(name).map_err(unreachable)?;
        let mut client = Self {
            stream,
            decoder: Decoder::new(MAX_RESPONSE_BYTES),
            daemon: DaemonInfo {
                protocol: 0,
                version: String::new(),
            },
        };
        match client.call(&Request::Hello(me))? {
            Response::Hello(daemon) => client.daemon = daemon,
            _ => return Err(ClientError::Unexpected),
        }
        Ok(client)
    }

    /// Who answers.
    pub fn daemon(&self) -> &DaemonInfo {
        &self.daemon
    }

    /// Sends a request and reads its first answer. A refusal is an error.
    pub fn call(&mut self, request: &Request) -> Result<Response, ClientError> {
        self.stream
            .write_all(&encode(request))
            .map_err(ClientError::Broken)?;
        self.receive()
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
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ClientError::Closed),
                Ok(read) => self.decoder.push(&chunk[..read]),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(ClientError::Broken(err)),
            }
        }
    }
}
