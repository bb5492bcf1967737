//! Where jobs are dropped, and where the daemon puts what it has to say of them.

use std::path::PathBuf;

/// The folders of a spool.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The jobs folder.
    pub(super) jobs: PathBuf,
    /// Where claims, reports and `STATUS.txt` are: the jobs folder, or, where nothing is written into that, one in
    /// the state directory.
    pub(super) spool_dir: PathBuf,
}

/// Whether the jobs folder is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Writable,
    ReadOnly,
}

impl Places {
    /// `spool_dir`: where to write if the jobs folder is only read.
    pub(super) fn new(jobs: PathBuf, spool_dir: Option<PathBuf>) -> Self {
        let spool_dir = spool_dir.unwrap_or_else(|| jobs.clone());
        Self { jobs, spool_dir }
    }

    pub(super) fn access(&self) -> Access {
        if self.jobs == self.spool_dir {
            Access::Writable
        } else {
            Access::ReadOnly
        }
    }

    /// Where writers put what they will rename into the folder; never read.
    pub(super) fn incoming(&self) -> PathBuf {
        self.jobs.join(".incoming")
    }
}
