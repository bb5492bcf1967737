//! The two ends of the conversation with the daemon.

use std::{
    io::{self, BufRead, Write},
    process,
    sync::mpsc::{self, Receiver},
    thread,
};

use framepack_ipc::worker::{FromWorker, ToWorker};

use crate::plan;

/// Messages that came, and the way back.
#[derive(Debug)]
pub(crate) struct Desk {
    messages: Receiver<ToWorker>,
}

impl Desk {
    /// Reads messages in a thread of its own, which ends the process with its stdin, whatever it is doing.
    /// Questions for plans are answered there.
    pub(crate) fn open() -> Self {
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                let line = line.expect("stdin is text");
                let message = serde_json::from_str(&line).expect("a message of the daemon");
                if let ToWorker::Plan { ask, request } = message {
                    let outcome = plan::outcome(&request);
                    say(&FromWorker::Planned { ask, outcome });
                } else if sender.send(message).is_err() {
                    break;
                }
            }
            process::exit(0);
        });
        Self { messages }
    }

    /// Waits for a message.
    pub(crate) fn next(&self) -> Option<ToWorker> {
        self.messages.recv().ok()
    }

    /// What has come since the last look.
    pub(crate) fn news(&self) -> Vec<ToWorker> {
        self.messages.try_iter().collect()
    }
}

pub(crate) fn say(message: &FromWorker) {
    let mut line = serde_json::to_vec(message).expect("plain data");
    line.push(b'\n');
    // Fails when the daemon is gone; then stdin ends, too.
    let _ = io::stdout().lock().write_all(&line);
}
