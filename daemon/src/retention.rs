//! What jobs that have ended left in the state directory goes after a time: `work/<job>/` and `logs/<job>.ndjson`. Their
//! last pictures go with their records, and the oldest where they are too many.
//!
//! Their records, videos and reports stay. The folders are listed, and only jobs that have something there are looked
//! at, so that a pass costs little however many jobs there were.

use std::{collections::BTreeSet, fs, io, path::Path, time::Duration};

use framepack_config::{Limit, Retention as Rules};
use framepack_jobs::{JobId, Timestamp};
use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

use crate::{
    clock::{Clock, is_known},
    disk::Disk,
    previews::Previews,
    queue::{QueueHandle, Stopping, is_kept},
    state_dir::Layout,
};

/// Time between two passes.
const PAUSE: Duration = Duration::from_hours(1);
/// Records that are fetched at a time.
const PAGE: usize = 200;

/// Removes what is too old, as the configuration has it.
#[derive(Debug)]
pub(crate) struct Retention {
    pub(crate) rules: Rules,
    pub(crate) layout: Layout,
    pub(crate) previews: Previews,
    pub(crate) queue: QueueHandle,
    pub(crate) clock: Clock,
    pub(crate) disk: Disk,
}

/// A job that has ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EndedJob {
    job: JobId,
    finished_at: Timestamp,
}

/// Jobs that have something in the state directory.
#[derive(Debug, Default)]
struct Leftovers {
    /// All that have a work folder.
    works: BTreeSet<JobId>,
    /// Those whose work folder may go.
    work: BTreeSet<JobId>,
    logs: BTreeSet<JobId>,
}

impl Retention {
    /// A pass now and every hour, until the daemon stops.
    pub(crate) async fn run(self) {
        while self.pass().await.is_ok() {
            sleep(PAUSE).await;
        }
    }

    async fn pass(&self) -> Result<(), Stopping> {
        let layout = self.layout.clone();
        let left = spawn_blocking(move || Leftovers::read(&layout)).await;
        let left = left.unwrap_or_default();
        let ended = self.ended(&left).await?;
        let now = self.clock.sure();
        let overdue = |left: &BTreeSet<JobId>, days| {
            let ended = ended.iter().filter(|ended| left.contains(&ended.job));
            overdue(ended.copied().collect(), days, self.rules.work_jobs, now)
        };
        let (mut folders, mut logs) = (0_u32, 0_u32);
        for job in overdue(&left.work, self.rules.work_days) {
            let folder = self.layout.work(job);
            folders += u32::from(self.remove(job, move || fs::remove_dir_all(folder)).await?);
        }
        for job in overdue(&left.logs, self.rules.logs_days) {
            let log = self.layout.log(job);
            logs += u32::from(self.remove(job, move || fs::remove_file(log)).await?);
        }
        if folders + logs > 0 {
            info!(folders, logs, "removed files of old jobs; see `retention`");
        }
        self.clear_previews().await
    }

    /// Removes pictures of jobs whose records are gone, and the oldest where all take too much.
    async fn clear_previews(&self) -> Result<(), Stopping> {
        let previews = self.previews.clone();
        let kept = spawn_blocking(move || previews.clear_old()).await;
        for job in kept.unwrap_or_default() {
            if self.queue.record(job).await?.is_none() {
                let previews = self.previews.clone();
                let _ = spawn_blocking(move || previews.remove(job)).await;
            }
        }
        Ok(())
    }

    /// The jobs among them that have ended and will not be tried again with what they have.
    async fn ended(&self, left: &Leftovers) -> Result<Vec<EndedJob>, Stopping> {
        let mut ended = Vec::new();
        let mut after = JobId(0);
        while left.has_behind(after) {
            let page = self.queue.records_after(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.job.id;
            let now = self.clock.sure();
            for record in &page {
                let job = &record.job;
                if left.works.contains(&job.id) {
                    self.clear(job.id, &record.private.input, now).await?;
                }
                if let Some(finished_at) = job.state.finished_at()
                    && left.has(job.id)
                    && !is_kept(job, now)
                    && is_known(finished_at)
                {
                    let job = job.id;
                    ended.push(EndedJob { job, finished_at });
                }
            }
        }
        Ok(ended)
    }

    /// Removes what a job would need to be tried again, once it can't be any more. What was is gone already.
    async fn clear(&self, job: JobId, input: &Path, now: Timestamp) -> Result<(), Stopping> {
        let record = self.queue.record(job).await?;
        if record.is_some_and(|record| !is_kept(&record.job, now)) {
            self.disk.remove_input(input).done().await;
            self.disk.clear_checkpoints(job).done().await;
        }
        Ok(())
    }

    /// Removes something of a job, unless a user had it tried again meanwhile. Returns whether it was removed.
    async fn remove(
        &self,
        job: JobId,
        remove: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<bool, Stopping> {
        let now = self.clock.sure();
        let record = self.queue.record(job).await?;
        if record.is_none_or(|record| is_kept(&record.job, now)) {
            return Ok(false);
        }
        let removed = spawn_blocking(remove).await;
        match removed.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => {
                // Not as a field `job`: that would be a line in the log that is being removed.
                warn!(%error, "removing files of job {job}");
                Ok(false)
            }
        }
    }
}

impl Leftovers {
    fn read(layout: &Layout) -> Self {
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

    fn has(&self, job: JobId) -> bool {
        self.work.contains(&job) || self.logs.contains(&job)
    }

    fn has_behind(&self, job: JobId) -> bool {
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

/// Those that ended so many days ago, and all but the latest so many.
fn overdue(mut ended: Vec<EndedJob>, days: Limit, max_jobs: Limit, now: Timestamp) -> Vec<JobId> {
    ended.sort_by_key(|ended| std::cmp::Reverse((ended.finished_at, ended.job)));
    let is_old = |ended: &EndedJob| {
        let days = days.number();
        days.is_some_and(|days| now.secs_since(ended.finished_at) > f64::from(days) * 24.0 * 3600.0)
    };
    let is_one_too_many = |at: usize| max_jobs.number().is_some_and(|jobs| at >= jobs as usize);
    let ranked = ended.iter().enumerate();
    let overdue = ranked.filter(|(at, ended)| is_old(ended) || is_one_too_many(*at));
    overdue.map(|(_, ended)| ended.job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_old_or_too_much_goes() {
        let at = |text: &str| Timestamp::from_rfc3339(text).unwrap();
        let now = at("2026-11-30T12:00:00Z");
        let ended: Vec<EndedJob> = [
            (1, "2026-11-30T11:00:00Z"),
            // Submitted early, rendered late.
            (2, "2026-11-30T11:30:00Z"),
            (3, "2026-11-29T11:59:59Z"),
            (4, "2026-10-01T00:00:00Z"),
        ]
        .map(|(job, finished_at)| EndedJob {
            job: JobId(job),
            finished_at: at(finished_at),
        })
        .to_vec();
        for (days, max_jobs, expected) in [
            (Limit::Never, Limit::Never, &[][..]),
            (Limit::At(1), Limit::Never, &[3, 4]),
            (Limit::At(2), Limit::Never, &[4]),
            (Limit::At(60), Limit::At(2), &[3, 4]),
            (Limit::Never, Limit::At(1), &[1, 3, 4]),
            (Limit::At(1000), Limit::At(4), &[]),
        ] {
            let mut found = overdue(ended.clone(), days, max_jobs, now);
            found.sort();
            let expected: Vec<JobId> = expected.iter().copied().map(JobId).collect();
            assert_eq!(found, expected, "{days:?} {max_jobs:?}");
        }
    }
}
