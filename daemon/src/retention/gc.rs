//! What a user wants removed now: work folders of jobs that have ended for good, whose days `retention` still counts, what
//! is overdue anyway, and what no job refers to. Never a video, and nothing of a job that has not ended or may be tried
//! again.

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use framepack_config::Limit;
use framepack_ipc::upkeep::{Collected, GcMode, Junk, JunkKind};
use framepack_jobs::JobId;
use tokio::task::spawn_blocking;
use tracing::info;

use super::{
    EndedJob, PAGE, Retention,
    junk::{Files, Sized},
    overdue,
};
use crate::{
    clock::is_known,
    queue::{Stopping, is_kept},
};

/// Longest look at one folder.
const LIMIT: Duration = Duration::from_secs(5);

/// Whether files that no job refers to may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphans {
    Go,
    /// Jobs may have been lost that a user can still put back.
    Stay,
}

/// A file or folder that may go, and whose it is.
struct Candidate {
    kind: JunkKind,
    path: PathBuf,
    job: Option<JobId>,
    bytes: u64,
}

/// What the jobs' records say.
struct Known {
    /// All jobs that have a work folder and a record.
    of_works: BTreeSet<JobId>,
    /// Those that have ended for good and left something.
    ended: Vec<EndedJob>,
    /// Copies of start images that jobs need.
    inputs: HashSet<PathBuf>,
    last: JobId,
}

impl Retention {
    /// Removes what nobody needs, or says what that is.
    pub(crate) async fn gc(&self, mode: GcMode, orphans: Orphans) -> Result<Collected, Stopping> {
        let layout = self.layout.clone();
        // In the lane of the logs, for which nothing waits.
        let lane = self.layout.logs();
        let looked = self.disk.at(&lane, move || Files::look(&layout)).await;
        let Ok(files) = looked else {
            let silent = "the state directory does not answer".to_owned();
            return Ok(collected(mode, Vec::new(), vec![silent]));
        };
        // After the files: a job has its record before it has a file.
        let known = self.known(&files).await?;
        let mut candidates = self.of_jobs(&files, &known).await;
        let mut remarks = Vec::new();
        match orphans {
            Orphans::Go => candidates.extend(self.of_nobody(&files, &known).await),
            Orphans::Stay => remarks.push(
                "the store was repaired: files of unknown jobs stay until `framepackctl state acknowledge`".to_owned(),
            ),
        }
        if self.running.now().config.retention.work_days == Limit::Never {
            remarks.push(
                "retention.work_days is never: work folders stay, but those beyond retention.work_jobs"
                    .to_owned(),
            );
        }
        candidates.extend(
            files
                .embeddings
                .iter()
                .map(|file| of(JunkKind::Embeddings, file)),
        );
        candidates.extend(
            files
                .unfinished
                .iter()
                .map(|file| of(JunkKind::Unfinished, file)),
        );
        let mut items = Vec::new();
        for candidate in candidates {
            if mode == GcMode::DryRun || self.remove_candidate(&candidate).await? {
                let Candidate {
                    kind, path, bytes, ..
                } = candidate;
                items.push(Junk { kind, path, bytes });
            }
        }
        if mode == GcMode::Remove && !items.is_empty() {
            info!(items = items.len(), "removed what nobody needs");
        }
        Ok(collected(mode, items, remarks))
    }

    async fn known(&self, files: &Files) -> Result<Known, Stopping> {
        let mut known = Known {
            of_works: BTreeSet::new(),
            ended: Vec::new(),
            inputs: HashSet::new(),
            last: JobId(0),
        };
        let now = self.clock.sure();
        loop {
            let page = self.queue.records_after(known.last, PAGE).await?;
            let Some(last) = page.last() else { break };
            known.last = last.job.id;
            for record in page {
                let (job, id) = (&record.job, record.job.id);
                if files.leftovers.works.contains(&id) {
                    known.of_works.insert(id);
                }
                if is_kept(job, now) {
                    known.inputs.insert(record.private.input.clone());
                } else if let Some(finished_at) = job.state.finished_at()
                    && (files.leftovers.works.contains(&id) || files.leftovers.logs.contains(&id))
                {
                    known.ended.push(EndedJob {
                        job: id,
                        finished_at,
                    });
                }
            }
        }
        Ok(known)
    }

    /// Jobs whose work folder `retention` would remove some day.
    fn works(&self, files: &Files, known: &Known) -> BTreeSet<JobId> {
        let rules = self.running.now().config.retention;
        let ended = known.ended.iter().copied();
        let ended = ended.filter(|ended| files.leftovers.work.contains(&ended.job));
        match rules.work_days {
            Limit::At(_) => ended.map(|ended| ended.job).collect(),
            Limit::Never => {
                let now = self.clock.sure();
                let beyond = overdue(ended.collect(), Limit::Never, rules.work_jobs, now);
                beyond.into_iter().collect()
            }
        }
    }

    async fn of_jobs(&self, files: &Files, known: &Known) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let works = self.works(files, known);
        for EndedJob { job, .. } in &known.ended {
            if works.contains(job) {
                let path = self.layout.work(*job);
                candidates.push(self.measured(JunkKind::Work, path, Some(*job)).await);
            } else if files.leftovers.works.last() == Some(job) {
                let path = self.layout.work(*job);
                let checkpoints = self.measured(JunkKind::Checkpoints, path, Some(*job)).await;
                candidates.extend((checkpoints.bytes > 0).then_some(checkpoints));
            }
        }
        let logged = known.ended.iter().filter(|ended| {
            files.leftovers.logs.contains(&ended.job) && is_known(ended.finished_at)
        });
        let (logged, now) = (logged.copied().collect(), self.clock.sure());
        let rules = self.running.now().config.retention;
        for job in overdue(logged, rules.logs_days, rules.work_jobs, now) {
            let path = self.layout.log(job);
            candidates.push(self.measured(JunkKind::Log, path, Some(job)).await);
        }
        candidates
    }

    async fn of_nobody(&self, files: &Files, known: &Known) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let orphans = files.leftovers.work.difference(&known.of_works);
        // Higher numbers than the last job's are of jobs that the store has lost.
        for job in orphans.filter(|job| **job < known.last) {
            let path = self.layout.work(*job);
            candidates.push(self.measured(JunkKind::Orphan, path, Some(*job)).await);
        }
        let inputs = files.inputs.iter();
        let unneeded = inputs.filter(|file| !known.inputs.contains(&file.path));
        candidates.extend(unneeded.map(|file| of(JunkKind::Input, file)));
        candidates
    }

    async fn measured(&self, kind: JunkKind, path: PathBuf, job: Option<JobId>) -> Candidate {
        let tally = self.disk.measure(&path, part_of_work, LIMIT).await;
        let tally = tally.unwrap_or_default();
        let bytes = match kind {
            JunkKind::Checkpoints => tally.parts.get(CHECKPOINTS).map_or(0, |part| part.bytes),
            _ => tally.sum().bytes,
        };
        Candidate {
            kind,
            path,
            job,
            bytes,
        }
    }

    /// Removes it, unless it is needed meanwhile. Returns whether it is gone by that.
    async fn remove_candidate(&self, candidate: &Candidate) -> Result<bool, Stopping> {
        let path = candidate.path.clone();
        match (candidate.kind, candidate.job) {
            (JunkKind::Work, Some(job)) => self.remove(job, move || fs::remove_dir_all(path)).await,
            (JunkKind::Log, Some(job)) => self.remove(job, move || fs::remove_file(path)).await,
            (JunkKind::Checkpoints, Some(job)) => {
                let record = self.queue.record(job).await?;
                let is_over = record.is_some_and(|record| !is_kept(&record.job, self.clock.sure()));
                if is_over {
                    self.disk.clear_checkpoints(job).done().await;
                }
                Ok(is_over)
            }
            (JunkKind::Orphan, Some(job)) => {
                let is_orphan = self.queue.record(job).await?.is_none();
                Ok(is_orphan && done(move || fs::remove_dir_all(path)).await)
            }
            _ => Ok(done(move || fs::remove_file(path)).await),
        }
    }
}

const CHECKPOINTS: &str = "checkpoints";

/// Checkpoints, and all else.
fn part_of_work(below: &Path) -> &'static str {
    let name = below.to_string_lossy();
    if name.starts_with(framepack_ipc::worker::CHECKPOINT_PREFIX) {
        CHECKPOINTS
    } else {
        "others"
    }
}

async fn done(remove: impl FnOnce() -> io::Result<()> + Send + 'static) -> bool {
    spawn_blocking(remove)
        .await
        .is_ok_and(|removed| removed.is_ok())
}

fn of(kind: JunkKind, file: &Sized) -> Candidate {
    Candidate {
        kind,
        path: file.path.clone(),
        job: None,
        bytes: file.bytes,
    }
}

fn collected(mode: GcMode, items: Vec<Junk>, remarks: Vec<String>) -> Collected {
    Collected {
        mode,
        items,
        remarks,
    }
}
