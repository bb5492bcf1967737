//! What wakes the spool: file system events, jobs that have ended, and requests for a rescan.

use std::{
    ffi::OsString,
    ops::ControlFlow,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use framepack_ipc::folder::{MAX_WAITING, Scan, WaitingFile};
use tokio::sync::oneshot;

use super::{Spool, metrics::SpoolCounters};
use crate::record::Record;

/// A rescan is answered after this long, even when more files are left.
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
    /// An event for the test file has come: events work.
    Probed,
    /// A client wants a rescan, and its result.
    Scan(oneshot::Sender<Scan>),
    /// A job has ended.
    Finished(Arc<Record>),
    /// The daemon is stopping.
    Stop,
}

/// A client that waits for the result of a rescan.
#[derive(Debug)]
pub(super) struct ScanWaiter {
    reply: oneshot::Sender<Scan>,
    since: Instant,
    before: SpoolCounters,
}

/// Whether there is more to take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanProgress {
    More,
    Done,
}

impl ScanWaiter {
    fn new(reply: oneshot::Sender<Scan>, before: &SpoolCounters) -> Self {
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
                        self.scan_waiters.push(ScanWaiter::new(reply, &self.totals));
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

    /// Answers those who asked for a rescan, once all that can be taken is taken.
    pub(super) fn answer_scan_waiters(&mut self, left: usize, progress: ScanProgress) {
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.scan_waiters)
            .into_iter()
            .partition(|waiter| {
                progress == ScanProgress::Done || waiter.since.elapsed() > PATIENCE
            });
        self.scan_waiters = waiting;
        for waiter in done {
            let scan = self.scan_since(&waiter.before, left);
            // The client may have hung up.
            let _ = waiter.reply.send(scan);
        }
    }

    fn scan_since(&self, before: &SpoolCounters, left: usize) -> Scan {
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
            notes: self.view.borrow().notes.clone(),
        }
    }
}
