//! One client's connection: lines of JSON, within limits of size and time.

use std::{io, time::Duration};

use framepack_ipc::{
    ErrorBody,
    codec::{CodecError, Decoder, encode},
    control::{Greeting, MAX_REQUEST_BYTES, Response},
};
use framepack_jobs::Code;
use interprocess::local_socket::tokio::Stream;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout, timeout_at},
};

use super::{limits::ConnectionPermit, unanswered::Unanswered};

/// Bytes read at once.
const CHUNK_BYTES: usize = 8 << 10;
/// A message that has begun, and the first one of a connection, must be there after this time.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(10);
/// A client that does not read an answer within this time is hung up on.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);
/// Beyond this a message is a long one, of which a user may have few in memory.
const LONG_MESSAGE_BYTES: usize = 128 << 10;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    decoder: Decoder,
    permit: ConnectionPermit,
    /// When the message that is being received has to be there; `None` between messages.
    message_due: Option<Instant>,
    /// Held while a long message is being received.
    long_message: Option<OwnedSemaphorePermit>,
}

impl Connection {
    pub(super) fn new(stream: Stream, permit: ConnectionPermit) -> Self {
        Self {
            stream,
            decoder: Decoder::new(MAX_REQUEST_BYTES),
            permit,
            message_due: Some(Instant::now() + MESSAGE_DEADLINE),
            long_message: None,
        }
    }

    /// Says why a connection is not accepted.
    pub(super) async fn refuse(mut stream: Stream, reason: ErrorBody) {
        let answer = encode(&Response::Error(reason.into()));
        // A client that does not want to know has gone already.
        let _ = timeout(ANSWER_DEADLINE, stream.write_all(&answer)).await;
    }

    pub(super) fn permit(&self) -> &ConnectionPermit {
        &self.permit
    }

    /// Answers the first message. `false`: the two do not speak the same protocol, and the connection is useless.
    pub(super) async fn shake_hands(&mut self) -> io::Result<bool> {
        let answer = match self.receive::<Greeting>().await? {
            None => return Ok(false),
            Some(Ok(greeting)) => greeting.answer(env!("CARGO_PKG_VERSION")),
            Some(Err(error)) => Err(error),
        };
        let agreed = answer.is_ok();
        let response = answer.map_or_else(|error| Response::Error(error.into()), Response::Hello);
        self.send(&response).await?;
        Ok(agreed)
    }

    /// The next message, or why what came is none; `None` once the client has hung up or is hung up on.
    /// Safe to use in `select!`: nothing that was read is lost.
    pub(super) async fn receive<T: DeserializeOwned>(
        &mut self,
    ) -> io::Result<Option<Result<T, ErrorBody>>> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            match self.decoder.message() {
                Ok(Some(message)) => return Ok(Some(Ok(self.received(message)))),
                Ok(None) => {}
                Err(error @ CodecError::Malformed(_)) => {
                    return Ok(Some(Err(self.received(bad_message(&error)))));
                }
                // Where the next message begins is unknown: say why, and hang up.
                Err(error @ CodecError::TooLong { .. }) => {
                    self.send(&Response::Error(bad_message(&error).into()))
                        .await?;
                    return Ok(None);
                }
            }
            if self.decoder.buffered_bytes() > LONG_MESSAGE_BYTES && self.long_message.is_none() {
                self.long_message = self.permit.long_message().await;
                self.message_due = None;
            }
            match self.read(&mut chunk).await? {
                None => {
                    let seconds = MESSAGE_DEADLINE.as_secs();
                    let message = format!("no complete message arrived within {seconds} s");
                    let error = ErrorBody::new(Code::TOO_SLOW, message);
                    self.send(&Response::Error(error.into())).await?;
                    return Ok(None);
                }
                Some(0) => return Ok(None),
                Some(read) => self.decoder.push(&chunk[..read]),
            }
        }
    }

    /// Ends what a request began: says why it was refused, if it was.
    pub(super) async fn conclude(&mut self, answered: Result<(), Unanswered>) -> io::Result<()> {
        match answered {
            Ok(()) => Ok(()),
            Err(Unanswered::Refused(error)) => self.send(&Response::Error(error)).await,
            Err(Unanswered::Broken(error)) => Err(error),
        }
    }

    /// Sends an answer, if the client takes it in time.
    pub(super) async fn send(&mut self, response: &Response) -> io::Result<()> {
        let bytes = encode(response);
        timeout(ANSWER_DEADLINE, self.stream.write_all(&bytes))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads what is there; `None`: a message was begun and not finished in time.
    async fn read(&mut self, chunk: &mut [u8]) -> io::Result<Option<usize>> {
        if self.decoder.buffered_bytes() > 0 {
            self.message_due
                .get_or_insert_with(|| Instant::now() + MESSAGE_DEADLINE);
        }
        let read = self.stream.read(chunk);
        match self.message_due {
            None => read.await.map(Some),
            Some(due) => timeout_at(due, read).await.ok().transpose(),
        }
    }

    fn received<T>(&mut self, message: T) -> T {
        self.message_due = None;
        self.long_message = None;
        message
    }
}

fn bad_message(error: &CodecError) -> ErrorBody {
    ErrorBody::new(Code::BAD_MESSAGE, error.to_string())
}
