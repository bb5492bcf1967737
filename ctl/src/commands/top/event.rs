//! What happens while the screen is shown.

use std::{sync::mpsc::Sender, thread};

use framepack_ipc::{farm::FarmStatus, queue::QueueView};
use framepack_jobs::JobId;
use nix::sys::signal::Signal;
use ratatui::crossterm::event::KeyEvent;

use super::preview::Shown;

/// An event.
#[derive(Debug)]
pub(super) enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    /// The terminal is gone.
    InputLost,
    /// The farm and the queue are like this now.
    View(Box<View>),
    /// The daemon does not answer, and why.
    Lost(String),
    /// What became of a change.
    Changed(Remark),
    /// Lines of a job's log.
    Log(JobId, Vec<String>),
    /// A job's picture; `None`: it has none yet.
    Preview(Option<Shown>),
    /// A signal is to end the process.
    Interrupted,
    /// A thread has panicked, and the terminal shows it.
    Panicked,
}

/// What the daemon tells each second.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) farm: FarmStatus,
    pub(super) queue: QueueView,
}

/// What the user is told of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remark {
    Done(String),
    Refused(String),
}

impl From<Signal> for Event {
    fn from(_: Signal) -> Self {
        Self::Interrupted
    }
}

/// Where events are sent.
#[derive(Debug, Clone)]
pub(super) struct Events(Sender<Event>);

/// Says that its thread has panicked.
struct Watch(Sender<Event>);

impl Events {
    pub(super) fn new(sender: Sender<Event>) -> Self {
        Self(sender)
    }

    pub(super) fn sender(&self) -> Sender<Event> {
        self.0.clone()
    }

    /// Starts a thread whose panic is an event. It ends when it can send no more.
    pub(super) fn spawn(&self, work: impl FnOnce(&Sender<Event>) + Send + 'static) {
        let events = self.sender();
        thread::spawn(move || {
            let watch = Watch(events);
            work(&watch.0);
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            // The screen is closed already if nobody receives it.
            let _ = self.0.send(Event::Panicked);
        }
    }
}
