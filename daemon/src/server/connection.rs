//! One client's connection: lines of JSON, within limits.

use std::io;

use framepack_ipc::{
    ErrorBody, ErrorCode,
    codec::{CodecError, Decoder, encode},
    control::{MAX_REQUEST_BYTES, Request, Response},
};
use interprocess::local_socket::tokio::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes read at once.
const CHUNK_BYTES: usize = 8 << 10;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    decoder: Decoder,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            decoder: Decoder::new(MAX_REQUEST_BYTES),
        }
    }

    /// Answers the first message. `false`: the two do not speak the same protocol, and the connection is useless.
    pub(super) async fn shake_hands(&mut self) -> io::Result<bool> {
        let answer = match self.receive().await? {
            None => return Ok(false),
            Some(Ok(first)) => first.answer_hello(env!("CARGO_PKG_VERSION")),
            Some(Err(error)) => Err(error),
        };
        let agreed = answer.is_ok();
        let response = answer.map_or_else(|error| Response::Error(error.into()), Response::Hello);
        self.send(&response).await?;
        Ok(agreed)
    }

    /// The next request, or why what came is none; `None` once the client has hung up.
    /// Safe to use in `select!`: nothing that was read is lost.
    pub(super) async fn receive(&mut self) -> io::Result<Option<Result<Request, ErrorBody>>> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            match self.decoder.message() {
                Ok(Some(request)) => return Ok(Some(Ok(request))),
                Ok(None) => {}
                Err(error @ CodecError::Malformed(_)) => return Ok(Some(Err(bad_message(&error)))),
                Err(error @ CodecError::TooLong { .. }) => {
                    // Where the next message begins is unknown: say why, and hang up.
                    self.send(&Response::Error(bad_message(&error).into()))
                        .await?;
                    return Ok(None);
                }
            }
            match self.stream.read(&mut chunk).await? {
                0 => return Ok(None),
                read => self.decoder.push(&chunk[..read]),
            }
        }
    }

    pub(super) async fn send(&mut self, response: &Response) -> io::Result<()> {
        self.stream.write_all(&encode(response)).await
    }
}

fn bad_message(error: &CodecError) -> ErrorBody {
    ErrorBody::new(ErrorCode::BadMessage, error.to_string())
}
