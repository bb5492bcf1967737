//! What is said of the folder: `STATUS.txt`, notes and metrics for clients, results of rescans, and the log.

mod file;
mod text;
mod view;
mod waiter;

use std::{mem, path::PathBuf, time::Duration};

use framepack_ipc::{control::Note, folder::Scan};
use framepack_jobs::{Code, on_one_line};
use tokio::sync::{oneshot, watch};
use tracing::warn;

pub(crate) use self::view::{FolderMetrics, Sources, View};
use self::{file::StatusFile, text::Status as StatusText, waiter::ScanWaiter};
use super::notice::{Access, Mode, Notice};
use crate::{clock::Clock, queue::Summary};

/// What others are told.
#[derive(Debug)]
pub(crate) struct Status {
    daemon_id: String,
    /// Where `STATUS.txt` is.
    spool_dir: PathBuf,
    /// How long a file may lie in the folder.
    alarm: Duration,
    file: StatusFile,
    view: watch::Sender<View>,
    /// Who wants to know what the next look comes to.
    waiters: Vec<ScanWaiter>,
    clock: Clock,
}

/// How a look at the folder ended.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Files that could be taken and are not yet.
    pub(crate) left: usize,
    /// Why the folder can't be used.
    pub(crate) unusable: Option<Note>,
}

/// Whether there is more to take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Done,
}

impl Status {
    pub(crate) fn new(
        daemon_id: String,
        spool_dir: PathBuf,
        alarm: Duration,
        view: watch::Sender<View>,
        clock: Clock,
    ) -> Self {
        Self {
            daemon_id,
            spool_dir,
            alarm,
            file: StatusFile::default(),
            view,
            waiters: Vec::new(),
            clock,
        }
    }

    /// Reports files that lie there for longer from now on.
    pub(crate) fn take_over(&mut self, alarm: Duration) {
        self.alarm = alarm;
    }

    /// Begins a new file, in another folder.
    pub(crate) fn clear(&mut self) {
        self.file = StatusFile::default();
    }

    /// Notes that a client wants to know what comes of a rescan.
    pub(crate) fn ask(&mut self, reply: oneshot::Sender<Scan>, sources: Sources<'_>) {
        self.waiters.push(ScanWaiter::new(reply, sources.totals()));
    }

    /// Publishes the current status: in `STATUS.txt`, and for clients of the daemon. Returns whether there is more to
    /// take at once.
    pub(crate) fn publish(
        &mut self,
        sources: Sources<'_>,
        summary: &Summary,
        Look { left, unusable }: Look,
    ) -> Progress {
        let mode = match unusable {
            Some(_) => Mode::Gone,
            None => sources.notice.mode(),
        };
        let is_written = unusable.is_none() || sources.notice.access() == Access::ReadOnly;
        let alarm = self.alarm_of(sources.notice);
        let notes: Vec<Note> = unusable.into_iter().chain(alarm).collect();
        let told = notes.iter().cloned().chain(self.clock.note());
        let told: Vec<Note> = told.collect();
        let status = StatusText {
            daemon_id: &self.daemon_id,
            sources,
            summary,
            left,
            notes: &told,
        };
        if is_written {
            let text = status.text();
            self.file.update(&self.spool_dir, &self.daemon_id, text);
        }
        let is_stuck = summary.room() == 0 || sources.pending.blocker().is_some();
        let progress = match left {
            0 => Progress::Done,
            _ if is_stuck => Progress::Done,
            _ => Progress::More,
        };
        let metrics = metrics(sources, left, mode);
        self.view.send_modify(|view| {
            for note in notes.iter().filter(|note| !view.notes.contains(note)) {
                warn!(code = %note.code, "{}", note.message);
            }
            *view = View { notes, metrics };
        });
        self.answer(sources, left, progress);
        progress
    }

    /// Answers those who asked for a rescan, once all that can be taken is taken.
    fn answer(&mut self, sources: Sources<'_>, left: usize, progress: Progress) {
        let is_due =
            |waiter: &ScanWaiter| progress == Progress::Done || waiter.is_out_of_patience();
        let (done, waiting): (Vec<_>, Vec<_>) =
            mem::take(&mut self.waiters).into_iter().partition(is_due);
        self.waiters = waiting;
        for waiter in done {
            waiter.answer(sources, left, &self.view.borrow().notes);
        }
    }

    /// Files that have lain in the folder for too long.
    fn alarm_of(&self, notice: &Notice) -> Option<Note> {
        let mut files = notice.untaken_by_age();
        files.retain(|file| file.since.elapsed() > self.alarm);
        let oldest = files.first()?;
        let (name, why) = (oldest.name.display().to_string(), oldest.why);
        let message = format!(
            "{} files have been in the jobs folder for more than {} s without being taken; the first is {}: {why}",
            files.len(),
            self.alarm.as_secs_f64(),
            on_one_line(&name),
        );
        Some(Note::new(Code::FILES_NOT_TAKEN, message))
    }
}

fn metrics(sources: Sources<'_>, left: usize, mode: Mode) -> FolderMetrics {
    let untaken = sources.notice.untaken_by_age();
    FolderMetrics {
        totals: sources.totals(),
        unsettled: untaken.len() as u64,
        left: left as u64,
        claimed: (sources.pending.waiting().len() + sources.claims.kept_count()) as u64,
        oldest_unsettled: untaken.first().map(|file| file.since),
        listing: sources.notice.listing(),
        mode,
    }
}
