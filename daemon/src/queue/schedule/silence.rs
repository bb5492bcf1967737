//! Jobs that wait for a share that does not answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use framepack_jobs::{Job, JobId};
use tokio::sync::watch;

use crate::disk::SilentShares;

/// A job that met such a share is not tried again before.
const PAUSE: Duration = Duration::from_secs(1);

/// The shares that do not answer, and the jobs that met one.
#[derive(Debug)]
pub(super) struct Silence {
    now: watch::Receiver<SilentShares>,
    shares: BTreeSet<PathBuf>,
    met: BTreeMap<JobId, (PathBuf, Instant)>,
}

impl Silence {
    pub(super) fn new(now: watch::Receiver<SilentShares>) -> Self {
        Self {
            now,
            shares: BTreeSet::new(),
            met: BTreeMap::new(),
        }
    }

    /// A job met a share that does not answer: it may be another one than its video goes to.
    pub(super) fn met(&mut self, job: JobId, share: PathBuf) {
        self.met.insert(job, (share, Instant::now() + PAUSE));
        self.look();
    }

    /// The job is another one now, or none.
    pub(super) fn forget(&mut self, job: JobId) {
        self.met.remove(&job);
    }

    /// Looks which shares do not answer now. Whether a job may have stopped waiting.
    pub(super) fn look(&mut self) -> bool {
        let before = (self.shares.len(), self.met.len());
        self.shares = self.now.borrow_and_update().keys().cloned().collect();
        let (shares, now) = (&self.shares, Instant::now());
        self.met
            .retain(|_, (share, until)| shares.contains(share) || *until > now);
        (self.shares.len(), self.met.len()) != before
    }

    /// The share that a job waits for.
    pub(super) fn of(&self, job: &Job) -> Option<&Path> {
        let met = self.met.get(&job.id).map(|(share, _)| share);
        let of_video = || {
            self.shares
                .iter()
                .find(|share| job.output.starts_with(share))
        };
        met.or_else(of_video).map(PathBuf::as_path)
    }

    /// How soon to look again by itself.
    pub(super) fn patience(&self) -> Option<Duration> {
        (!self.met.is_empty()).then_some(PAUSE)
    }
}
