//! Jobs that have left something in the state directory, by the names of their folders and logs.

use std::{collections::BTreeSet, fs, path::Path};

use framepack_jobs::JobId;

use crate::state_dir::Layout;

/// Jobs that have something in the state directory.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// All that have a work folder.
    pub(super) works: BTreeSet<JobId>,
    /// Those whose work folder may go.
    pub(super) work: BTreeSet<JobId>,
    pub(super) logs: BTreeSet<JobId>,
}

impl Leftovers {
    pub(super) fn read(layout: &Layout) -> Self {
        let works = jobs_in(&layout.works(), "");
        let mut work = works.clone();
        // Should the store be lost, this says which numbers have been given out.
        work.pop_last();
        Self {
            works,
            work,
            logs: jobs_in(&layout.logs(), ".ndjson"),
        }
    }

    pub(super) fn has(&self, job: JobId) -> bool {
        self.work.contains(&job) || self.logs.contains(&job)
    }

    pub(super) fn has_behind(&self, job: JobId) -> bool {
        let last = self.works.last().max(self.logs.last());
        last.is_some_and(|last| *last > job)
    }
}

/// Jobs by which a folder's entries are named. A folder that is not there has none.
fn jobs_in(folder: &Path, suffix: &str) -> BTreeSet<JobId> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let jobs = entries.filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.strip_suffix(suffix)?.parse().ok()
    });
    jobs.collect()
}
