//! Where files go when all is done, and for how long: claims of ended jobs and of files that became none are filed
//! with their reports; old files are moved to the archive.

mod archive;
mod retention;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io, mem,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use framepack_config::Retention;
use framepack_jobs::{Job, JobId, Source};
use tokio::runtime;
use tracing::{info, warn};

use self::archive::Archive;
use super::{
    claims::{Claim, Claims},
    dropped::{RETRY, Rejection},
    notice::Notice,
};
use crate::{
    clock::Clock,
    disk::Disk,
    record::{Record, Report},
};

/// What is to be filed.
#[derive(Debug)]
pub(crate) struct Filing {
    /// Where the outcomes' folders are.
    spool_dir: PathBuf,
    rules: Retention,
    clock: Clock,
    next_clearing: Instant,
    videos: Videos,
    /// Ended, and their files not filed yet.
    unfiled: BTreeMap<JobId, Arc<Record>>,
}

impl Filing {
    /// For a thread beside the runtime that this is called in.
    pub(crate) fn new(spool_dir: PathBuf, rules: Retention, disk: Disk, clock: Clock) -> Self {
        let runtime = runtime::Handle::current();
        Self {
            spool_dir,
            rules,
            clock,
            videos: Videos { disk, runtime },
            next_clearing: Instant::now(),
            unfiled: BTreeMap::new(),
        }
    }

    /// Notes that a job has ended.
    pub(crate) fn add(&mut self, record: Arc<Record>) {
        self.unfiled.insert(record.job.id, record);
    }

    /// Puts the files of jobs that have ended away, with their reports, once it is known which files are claimed.
    pub(crate) fn put_ended(&mut self, claims: &mut Claims, notice: &Notice) {
        if !claims.is_recovered() {
            return;
        }
        let mut archive = Archive::new(&self.spool_dir, self.clock.likely());
        for (id, record) in mem::take(&mut self.unfiled) {
            let claim_id = record.private.claim.as_deref();
            let claim = claim_id.and_then(|claim| claims.kept(claim));
            let hash = || {
                // Reading a long video takes its time.
                notice.rest();
                let video = self.videos.hash(&record);
                notice.beat();
                video
            };
            let filed = match claim {
                Some(claim) => hash().and_then(|video| put(&mut archive, claim, &record, video)),
                None => put_again(&mut archive, &record, hash),
            };
            match (filed, claim) {
                (Ok(()), _) => {}
                (Err(error), claim) if is_kept(claim, &error) => {
                    warn!(job = %id, %error, "filing the job's file; it stays claimed");
                    self.unfiled.insert(id, record);
                    continue;
                }
                (Err(error), None) => warn!(job = %id, %error, "filing a retried job's file"),
                (Err(error), Some(_)) => warn!(job = %id, %error, "the job's file is gone"),
            }
            if let Some(claim) = claim_id {
                claims.release(claim);
            }
        }
        if let Err(error) = archive.sync() {
            // What a crash undoes is filed again.
            warn!(%error, "syncing the folders of ended jobs");
        }
    }

    /// Puts a file away that can't become a job.
    pub(crate) fn put_rejected(&self, claim: &Claim, why: &Rejection) -> io::Result<()> {
        let report = Report::rejected(shown(&claim.name), &why.failure, &why.problems);
        self.put_now(claim, &report)
    }

    /// Puts a file away that is a job already.
    pub(crate) fn put_duplicate(
        &self,
        claim: &Claim,
        job: &Job,
        difference: Vec<String>,
    ) -> io::Result<()> {
        let report = Report::duplicate(shown(&claim.name), job, difference);
        self.put_now(claim, &report)
    }

    fn put_now(&self, claim: &Claim, report: &Report<'_>) -> io::Result<()> {
        let mut archive = Archive::new(&self.spool_dir, self.clock.likely());
        archive.put(claim, &claim.id, report)?;
        archive.sync()
    }

    /// From time to time: moves old files to the archive.
    pub(crate) fn clear_old(&mut self) {
        if Instant::now() < self.next_clearing {
            return;
        }
        self.next_clearing = Instant::now() + retention::INTERVAL;
        match retention::clear(&self.spool_dir, &self.rules, self.clock.sure()) {
            Ok(0) => {}
            Ok(files) => info!(files, then = ?self.rules.then, "old files moved or removed"),
            Err(error) => warn!(%error, "moving or removing old files"),
        }
    }

    /// How long nothing need be done.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (!self.unfiled.is_empty()).then_some(RETRY)
    }
}

/// Files the claim of an ended job.
fn put(
    archive: &mut Archive<'_>,
    claim: &Claim,
    record: &Record,
    video: Option<String>,
) -> io::Result<()> {
    let report = Report::ended(shown(&claim.name), record, video);
    archive.put(claim, &record.job.id.to_string(), &report)
}

/// Files what is already in the archive: of a job that had failed and was retried.
fn put_again(
    archive: &mut Archive<'_>,
    record: &Record,
    video: impl Fn() -> io::Result<Option<String>>,
) -> io::Result<()> {
    let job = &record.job;
    let Source::Folder { file } = &job.source else {
        return Ok(());
    };
    let name = file.as_os_str();
    let Some(before) = archive.outdated(name, job)? else {
        return Ok(());
    };
    let report = Report::ended(file.display().to_string(), record, video()?);
    archive.put_again((name, &before), &job.id.to_string(), &report)
}

/// Whether a job that could not be filed is tried again: its file is still there, or its video can't be read now.
fn is_kept(claim: Option<&Claim>, error: &io::Error) -> bool {
    claim.is_some_and(|claim| claim.path.exists()) || error.kind() == io::ErrorKind::TimedOut
}

/// The videos of ended jobs.
#[derive(Debug)]
struct Videos {
    disk: Disk,
    runtime: runtime::Handle,
}

impl Videos {
    /// SHA-256 of a job's video, if there is one. An error: it can't be had now.
    fn hash(&self, record: &Record) -> io::Result<Option<String>> {
        let Some(result) = record.job.state.result() else {
            return Ok(None);
        };
        match self.runtime.block_on(self.disk.hash(&result.video)) {
            // A video that was removed meanwhile has none.
            Ok(hash) => Ok(hash.ok()),
            Err(silent) => Err(io::Error::new(io::ErrorKind::TimedOut, silent)),
        }
    }
}

/// A name for people; bytes that are no text are replaced.
fn shown(name: &OsStr) -> String {
    name.display().to_string()
}
