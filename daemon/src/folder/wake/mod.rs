//! What wakes the folder's thread: file system events, jobs that have ended, and requests for a rescan.

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use framepack_ipc::folder::Scan;
use tokio::sync::oneshot;

use crate::record::Record;

/// What wakes the folder's thread.
#[derive(Debug)]
pub(crate) enum Event {
    /// The file system tells something.
    Hint(Hint),
    /// A client wants a rescan, and its result.
    Scan(oneshot::Sender<Scan>),
    /// A job has ended.
    Ended(Arc<Record>),
    /// A client wants to know which files are not put away yet.
    Held(HeldQuestion),
    /// The configuration was read again.
    Reloaded,
    /// The daemon is stopping.
    Stop,
}

/// Claims by their ids, and the way to answer with those of them whose files are still claimed.
#[derive(Debug)]
pub(crate) struct HeldQuestion {
    pub(crate) claims: Vec<String>,
    pub(crate) reply: oneshot::Sender<HashSet<String>>,
}

/// What the file system tells of the folder.
#[derive(Debug)]
pub(crate) enum Hint {
    /// Something changed in it.
    Changed,
    /// Events were lost.
    Lost,
    /// A file of this name was renamed into it, so it is whole.
    Renamed(OsString),
    /// An event for the test file has come: events work.
    Probed,
}

impl Event {
    /// Whether the folder is to be looked at.
    pub(crate) fn is_reason(&self) -> bool {
        !matches!(self, Self::Hint(Hint::Probed))
    }
}

/// Everything that was heard by some time; empty when nothing was. `None`: nobody is left who could say anything.
pub(crate) fn heard(inbox: &mpsc::Receiver<Event>, until: Instant) -> Option<Vec<Event>> {
    let left = until.saturating_duration_since(Instant::now());
    match inbox.recv_timeout(left) {
        Ok(first) => Some([first].into_iter().chain(inbox.try_iter()).collect()),
        Err(mpsc::RecvTimeoutError::Timeout) => Some(Vec::new()),
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
    }
}

/// A way for the queue to tell of jobs that have ended, without knowing who listens. Ends with its sender.
pub(crate) fn ended_jobs(events: mpsc::Sender<Event>) -> io::Result<mpsc::Sender<Arc<Record>>> {
    let (sender, ended) = mpsc::channel();
    let forward = move || {
        for record in ended {
            // Fails only while the daemon stops; the next one files the job when it starts.
            if events.send(Event::Ended(record)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("ended-jobs".into())
        .spawn(forward)?;
    Ok(sender)
}
