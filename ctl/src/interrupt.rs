//! Signals that end a command, as events; and what `run` makes of them.

mod question;

use std::{
    fs, io,
    process::{Child, Command},
    sync::mpsc::Sender,
    thread,
};

use nix::sys::signal::{SigSet, Signal};

pub(crate) use question::{ask, can_ask};

use crate::event::{Answer, Ownership};

/// What ends a command.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// From now on the signals that end a command do not end the process, and are events. Called before any other thread is
/// started, since threads inherit which signals they do not take.
pub(crate) fn listen(events: Sender<impl From<Signal> + Send + 'static>) -> io::Result<()> {
    listen_to(&ENDING, events)
}

/// The same, and that the window of the terminal has changed.
pub(crate) fn listen_at_terminal(
    events: Sender<impl From<Signal> + Send + 'static>,
) -> io::Result<()> {
    let [int, term, hup] = ENDING;
    listen_to(&[int, term, hup, Signal::SIGWINCH], events)
}

fn listen_to(
    wanted: &[Signal],
    events: Sender<impl From<Signal> + Send + 'static>,
) -> io::Result<()> {
    let mut signals = SigSet::empty();
    let ignored = ignored();
    for signal in wanted.iter().copied() {
        // `nohup` ignores one, and a shell does for what it starts in the background.
        if ignored & (1 << (signal as u64 - 1)) == 0 {
            signals.add(signal);
        }
    }
    signals.thread_block()?;
    thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            if events.send(signal.into()).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// The signals that are ignored since before this process began, a bit each.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Starts a program that takes all signals: it would inherit which ones this process does not.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let mine = SigSet::thread_get_mask()?;
    SigSet::empty().thread_set_mask()?;
    let child = command.spawn();
    mine.thread_set_mask()?;
    child
}

/// How far a user has interrupted `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not at all.
    Following,
    /// It was asked whether the job is to go on.
    Asking,
    /// The job is being cancelled.
    Cancelling,
}

/// What a signal, or the answer to the question, comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    /// Ask whether the job is to go on.
    Ask,
    /// Cancel the job, and wait until that is done.
    Cancel,
    /// Leave the job to its daemon.
    Leave,
    /// Stop the daemon, and keep what there is of the job.
    Stop,
    /// Wait no longer for a job that is being cancelled.
    GiveUp,
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Leave => Self::Leave,
            Answer::Cancel => Self::Cancel,
        }
    }
}

impl Response {
    /// What is done about a signal. Without a terminal nobody can be asked: the job goes on in a daemon that is there
    /// anyway, and stops with one that was started for it, which loses nothing.
    pub(crate) fn to(signal: Signal, stage: Stage, ownership: Ownership) -> Self {
        match (stage, signal) {
            (Stage::Cancelling, _) => Self::GiveUp,
            (Stage::Asking, Signal::SIGINT) => Self::Cancel,
            (Stage::Following, Signal::SIGINT) if can_ask() => Self::Ask,
            _ => match ownership {
                Ownership::Shared | Ownership::Left => Self::Leave,
                Ownership::Own => Self::Stop,
            },
        }
    }
}
