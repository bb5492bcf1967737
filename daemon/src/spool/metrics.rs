//! Metrics of the jobs folder and what is wrong with it, for clients of the daemon.

use std::time::{Duration, Instant};

use framepack_ipc::control::Note;

/// What the spool tells others.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// What is wrong.
    pub(crate) notes: Vec<Note>,
    pub(crate) metrics: SpoolMetrics,
}

/// Files, listings and events.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpoolMetrics {
    /// What adds up since the daemon started.
    pub(crate) totals: SpoolCounters,
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
pub(crate) struct SpoolCounters {
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

/// How changes in the folder are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is being tested whether events come.
    #[default]
    Testing,
    Events,
    /// By listings alone.
    Listing,
    /// The folder is gone.
    Gone,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Testing, Self::Events, Self::Listing, Self::Gone];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Testing => "testing",
            Self::Events => "events",
            Self::Listing => "listing",
            Self::Gone => "gone",
        }
    }
}
