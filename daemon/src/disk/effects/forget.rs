//! What jobs leave in the state directory that have ended, or are not there any more.

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use framepack_jobs::JobId;
use tracing::warn;

use super::{Disk, Ended, Posted};
use crate::{
    disk::{inputs::Inputs, work::clear_checkpoints},
    previews::Previews,
    state_dir::Layout,
};

/// What the daemon before this one may not have lived to remove.
#[derive(Debug)]
pub(crate) struct Leftovers {
    /// Jobs that have ended.
    pub(crate) ended: Vec<Ended>,
    /// Copies of start images that jobs still need.
    pub(crate) needed: HashSet<PathBuf>,
    /// All jobs that there are.
    pub(crate) jobs: BTreeSet<JobId>,
}

impl Disk {
    /// A job is not there any more: all goes that it had beside its video.
    pub(crate) fn forget(&self, ended: &Ended) -> Vec<Posted> {
        let (layout, job) = (self.layout.clone(), ended.job);
        let mut posted = self.ended(ended);
        let forget = move || forget(&layout, job);
        posted.push(self.lanes.post(&self.layout.works(), forget));
        posted
    }

    /// Removes a video; one that is gone already is no error.
    pub(crate) async fn remove_video(&self, video: &Path) -> io::Result<()> {
        let path = video.to_owned();
        let folder = super::share_folder(video);
        let removed = self.at(&folder, move || match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        });
        removed
            .await
            .unwrap_or_else(|silent| Err(io::Error::other(silent)))
    }
}

/// Removes a job's work folder, its log and its previews.
fn forget(layout: &Layout, job: JobId) {
    Previews::new(layout.clone()).remove(job);
    let work = layout.work(job);
    let is_last = numbers(&layout.works())
        .max()
        .is_some_and(|last| last <= job);
    let removed = fs::remove_dir_all(&work).and_then(|()| {
        // Should the store be lost, the highest one says which numbers have been given out.
        if is_last {
            fs::create_dir(&work)
        } else {
            Ok(())
        }
    });
    for (path, removed) in [
        (work, removed),
        (layout.log(job), fs::remove_file(layout.log(job))),
    ] {
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            warn!(path = %path.display(), %error, "removing what a removed job has left");
        }
    }
}

/// Removes from the state directory what only jobs needed that have ended, and what is left of jobs that were removed.
pub(super) fn clear_state(layout: &Layout, leftovers: &Leftovers) -> io::Result<()> {
    let previews = Previews::new(layout.clone());
    for job in &leftovers.ended {
        previews.keep(job.job);
        if !job.is_kept {
            clear_checkpoints(&layout.work(job.job));
        }
    }
    let last = leftovers.jobs.last();
    let logs = fs::read_dir(layout.logs()).into_iter().flatten().flatten();
    let logs = logs.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(JobId(name.strip_suffix(".ndjson")?.parse().ok()?))
    });
    let left: BTreeSet<JobId> = numbers(&layout.works()).chain(logs).collect();
    // Those behind the last one may be of a store that was lost.
    let is_gone = |job: &&JobId| last.is_some_and(|last| *job < last);
    let gone = left.difference(&leftovers.jobs).filter(is_gone);
    gone.for_each(|job| forget(layout, *job));
    Inputs::new(Vec::new(), layout.inputs()).keep_only(&leftovers.needed)
}

/// Jobs that have a work folder.
fn numbers(works: &Path) -> impl Iterator<Item = JobId> {
    let entries = fs::read_dir(works).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(JobId(entry.file_name().to_str()?.parse().ok()?)))
}
