//! Clients that wait for the result of a rescan.

use std::time::{Duration, Instant};

use framepack_ipc::{
    control::Note,
    folder::{MAX_WAITING, Scan, WaitingFile},
};
use tokio::sync::oneshot;

use super::text::conflict;
use super::view::{FolderCounters, Sources};

/// A rescan is answered after this long, even when more files are left.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that waits for the result of a rescan.
#[derive(Debug)]
pub(super) struct ScanWaiter {
    reply: oneshot::Sender<Scan>,
    since: Instant,
    before: FolderCounters,
}

impl ScanWaiter {
    pub(super) fn new(reply: oneshot::Sender<Scan>, before: FolderCounters) -> Self {
        Self {
            reply,
            since: Instant::now(),
            before,
        }
    }

    pub(super) fn is_out_of_patience(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }

    pub(super) fn answer(self, sources: Sources<'_>, left: usize, notes: &[Note]) {
        let (totals, before) = (sources.totals(), self.before);
        let waiting = sources.notice.untaken().chain(sources.pending.waiting());
        let scan = Scan {
            jobs: totals.jobs - before.jobs,
            duplicates: totals.duplicates - before.duplicates,
            rejected: totals.rejected - before.rejected,
            left: left as u64,
            waiting: waiting.clone().count() as u64,
            files: waiting
                .take(MAX_WAITING)
                .map(|(name, why)| WaitingFile {
                    file: name.display().to_string(),
                    why: why.to_owned(),
                })
                .collect(),
            passed_over: sources
                .notice
                .conflicts()
                .map(|(name, program)| WaitingFile {
                    file: name.display().to_string(),
                    why: conflict(program),
                })
                .collect(),
            notes: notes.to_vec(),
        };
        // The client may have hung up.
        let _ = self.reply.send(scan);
    }
}
