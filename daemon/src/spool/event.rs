//! What wakes the spool: hints of the file system, jobs that have ended, and people who want it to look.

use std::{
    ffi::OsString,
    ops::ControlFlow,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use framepack_ipc::folder::{MAX_WAITING, Scan, WaitingFile};
use tokio::sync::oneshot;

use super::{Spool, figures::Totals};
use crate::store::Record;

/// Who asked for a look is answered after this long, even when more files are left.
const PATIENCE: Duration = Duration::from_secs(10);

/// What wakes the spool.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something changed in the folder.
    Changed,
    /// Events were lost.
    Lost,
    /// A file of this name was renamed into the folder, so it is whole.
    Renamed(OsString),
    /// The test file was told of: events come.
    Probed,
    /// Somebody wants it looked at, and to know what came of that.
    Scan(oneshot::Sender<Scan>),
    /// A job has ended.
    Finished(Arc<Record>),
    /// The daemon is stopping.
    Stop,
}

/// Somebody who wants to know what a look comes to.
#[derive(Debug)]
pub(super) struct Asker {
    reply: oneshot::Sender<Scan>,
    since: Instant,
    before: Totals,
}

/// Whether there is more to take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

impl Asker {
    fn new(reply: oneshot::Sender<Scan>, before: &Totals) -> Self {
        Self {
            reply,
            since: Instant::now(),
            before: before.clone(),
        }
    }
}

impl Spool {
    /// Waits for a reason to look at the folder. Breaks off when the daemon stops.
    pub(super) fn wait(
        &mut self,
        events: &mpsc::Receiver<Event>,
        patience: Duration,
    ) -> ControlFlow<()> {
        let until = Instant::now() + patience;
        let mut is_reason = false;
        while !is_reason {
            let left = until.saturating_duration_since(Instant::now());
            let first = match events.recv_timeout(left) {
                Ok(event) => event,
                Err(mpsc::RecvTimeoutError::Timeout) => break,
                Err(mpsc::RecvTimeoutError::Disconnected) => return ControlFlow::Break(()),
            };
            for event in [first].into_iter().chain(events.try_iter()) {
                match event {
                    Event::Changed => is_reason = true,
                    Event::Lost => {
                        self.totals.overflows += 1;
                        is_reason = true;
                    }
                    Event::Renamed(name) => {
                        self.renamed.insert(name);
                        is_reason = true;
                    }
                    Event::Scan(reply) => {
                        self.askers.push(Asker::new(reply, &self.totals));
                        is_reason = true;
                    }
                    Event::Probed => self.folder.confirm_events(),
                    Event::Finished(record) => {
                        self.unfiled.insert(record.job.id, record);
                        is_reason = true;
                    }
                    Event::Stop => return ControlFlow::Break(()),
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Answers those who asked for a look, once all that can be taken is taken.
    pub(super) fn answer_askers(&mut self, left: usize, progress: Progress) {
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.askers)
            .into_iter()
            .partition(|asker| progress == Progress::Done || asker.since.elapsed() > PATIENCE);
        self.askers = waiting;
        for asker in done {
            let scan = self.scan_since(&asker.before, left);
            // Whoever has hung up does not want to know any more.
            let _ = asker.reply.send(scan);
        }
    }

    fn scan_since(&self, before: &Totals, left: usize) -> Scan {
        let in_folder = self.unsettled.files.iter().chain(&self.troubles);
        let held = self.held.iter().map(|held| (&held.claim.name, &held.why));
        let waiting = in_folder.chain(held);
        Scan {
            jobs: self.totals.jobs - before.jobs,
            duplicates: self.totals.duplicates - before.duplicates,
            rejected: self.totals.rejected - before.rejected,
            left: left as u64,
            waiting: waiting.clone().count() as u64,
            files: waiting
                .take(MAX_WAITING)
                .map(|(name, why)| WaitingFile {
                    file: name.display().to_string(),
                    why: why.clone(),
                })
                .collect(),
            notes: self.told.borrow().notes.clone(),
        }
    }
}
