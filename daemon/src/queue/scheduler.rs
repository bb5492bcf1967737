//! What decides when jobs begin, beside the jobs themselves.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use framepack_jobs::Timestamp;
use serde::{Deserialize, Serialize};

use super::schedule::{Overtaken, Warm};
use crate::disk::DiskFull;

/// Where the store keeps the pauses.
pub(super) const PAUSES: &str = "pauses";

/// What users have paused; survives the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pauses {
    /// No job begins.
    pub(super) all: bool,
    /// No job of these groups begins.
    pub(super) groups: BTreeSet<String>,
}

/// Pauses, what devices have ready, and when there is something to be decided.
#[derive(Debug)]
pub(super) struct SchedulerState {
    pub(super) pauses: Pauses,
    /// By device: what its last job has left ready.
    pub(super) warm: HashMap<String, Warm>,
    pub(super) overtaken: Overtaken,
    /// Something has changed that may let a job begin.
    pub(super) may_begin: bool,
    /// Something has changed that may end a job that waits.
    pub(super) may_end: bool,
    /// Why the next job has no room on the disks, and when to look again.
    pub(super) no_room: Option<(DiskFull, Instant)>,
    /// It had none when it was looked at last.
    pub(super) had_no_room: bool,
    /// When either may be so by itself.
    pub(super) due: Option<Timestamp>,
}

impl SchedulerState {
    pub(super) fn new(pauses: Pauses) -> Self {
        Self {
            pauses,
            warm: HashMap::new(),
            overtaken: Overtaken::new(),
            may_begin: true,
            may_end: true,
            no_room: None,
            had_no_room: false,
            due: None,
        }
    }

    /// A job has come, ended or been changed: all others are looked at again.
    pub(super) fn look_again(&mut self) {
        self.may_begin = true;
        self.may_end = true;
    }

    /// Whether the jobs that wait are to be looked at, by now at the latest.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.may_end || self.due.is_some_and(|due| due <= now)
    }
}
