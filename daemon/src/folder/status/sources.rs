//! What the status is of.

use super::view::FolderCounters;
use crate::folder::{claims::Claims, notice::Notice, pending::Pending};

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
