//! What is told of the folder, for clients of the daemon, and whom it is asked from.

use std::time::{Duration, Instant};

use framepack_ipc::control::Note;

use crate::folder::{
    claims::Claims,
    notice::{Mode, Notice},
    pending::Pending,
};

/// What the folder's thread tells others.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// What is wrong.
    pub(crate) notes: Vec<Note>,
    pub(crate) metrics: FolderMetrics,
}

/// Files, listings and events.
#[derive(Debug, Clone, Default)]
pub(crate) struct FolderMetrics {
    /// What adds up since the daemon started.
    pub(crate) totals: FolderCounters,
    /// Files that have not settled, or can't be taken.
    pub(crate) unsettled: u64,
    /// Files that could be taken and are left for want of room.
    pub(crate) left: u64,
    /// Files that are claimed: of jobs, and of those that wait for their image.
    pub(crate) claimed: u64,
    /// Since when the oldest of the unsettled files has been seen.
    pub(crate) oldest_unsettled: Option<Instant>,
    /// What the last listing took.
    pub(crate) listing: Duration,
    pub(crate) mode: Mode,
}

/// What adds up.
#[derive(Debug, Clone, Default)]
pub(crate) struct FolderCounters {
    /// Files seen.
    pub(crate) seen: u64,
    pub(crate) claimed: u64,
    /// Files that became jobs.
    pub(crate) jobs: u64,
    pub(crate) duplicates: u64,
    pub(crate) rejected: u64,
    pub(crate) listings: u64,
    /// How often the kernel's queue of events ran over.
    pub(crate) overflows: u64,
}

/// The owners of what is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) notice: &'a Notice,
    pub(crate) claims: &'a Claims,
    pub(crate) pending: &'a Pending,
}

impl Sources<'_> {
    /// What adds up since the daemon started.
    pub(super) fn totals(self) -> FolderCounters {
        let (noticed, answered) = (self.notice.counts(), self.pending.counts());
        FolderCounters {
            seen: noticed.seen,
            claimed: self.claims.total(),
            jobs: answered.jobs,
            duplicates: answered.duplicates,
            rejected: answered.rejected,
            listings: noticed.listings,
            overflows: noticed.overflows,
        }
    }
}
