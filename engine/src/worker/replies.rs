//! What the worker says, on its way to the daemon.

use std::{io::Write, path::PathBuf};

use framepack_ipc::worker::FromWorker;

use crate::error::Error;

/// Where replies go: one line each, complete when sent.
pub(super) struct Replies<W>(W);

impl<W: Write> Replies<W> {
    pub(super) fn new(output: W) -> Self {
        Self(output)
    }

    /// Sends one.
    pub(super) fn send(&mut self, message: &FromWorker) -> Result<(), Error> {
        let mut line =
            serde_json::to_vec(message).expect("messages are plain data with string keys");
        line.push(b'\n');
        let sent = self.0.write_all(&line).and_then(|()| self.0.flush());
        sent.map_err(|source| Error::Io {
            path: PathBuf::from("the daemon's pipe"),
            doing: "writing to",
            source,
        })
    }
}
