//! Where jobs are dropped, and where the daemon puts what it has to say of them.

use std::path::PathBuf;

/// The jobs folder, and where the daemon writes.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The jobs folder.
    pub(crate) jobs: PathBuf,
    /// Where claims, reports and `STATUS.txt` are: the jobs folder, or, where nothing is written into that, one in
    /// the state directory.
    pub(crate) spool_dir: PathBuf,
}

/// Whether the jobs folder is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Writable,
    ReadOnly,
}

impl Places {
    /// `spool_dir`: where to write if the jobs folder is only read.
    pub(crate) fn new(jobs: PathBuf, spool_dir: Option<PathBuf>) -> Self {
        let spool_dir = spool_dir.unwrap_or_else(|| jobs.clone());
        Self { jobs, spool_dir }
    }

    pub(crate) fn access(&self) -> Access {
        if self.jobs == self.spool_dir {
            Access::Writable
        } else {
            Access::ReadOnly
        }
    }

    /// Where writers put what they will rename into the folder; never read.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.jobs.join(".incoming")
    }
}
