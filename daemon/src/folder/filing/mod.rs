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
    time::{Duration, Instant, SystemTime},
};

use framepack_config::Retention;
use framepack_jobs::{Job, JobId, JobState, Source};
use tracing::{info, warn};

use self::archive::Archive;
use super::{
    claims::{Claim, Claims},
    dropped::{RETRY, Rejection},
};
use crate::{
    file::sha256_of,
    record::{Record, Report},
};

/// What is to be filed.
#[derive(Debug)]
pub(crate) struct Filing {
    /// Where the outcomes' folders are.
    spool_dir: PathBuf,
    rules: Retention,
    next_clearing: Instant,
    /// Ended, and their files not filed yet.
    unfiled: BTreeMap<JobId, Arc<Record>>,
}

impl Filing {
    pub(crate) fn new(spool_dir: PathBuf, rules: Retention) -> Self {
        Self {
            spool_dir,
            rules,
            next_clearing: Instant::now(),
            unfiled: BTreeMap::new(),
        }
    }

    /// Notes that a job has ended.
    pub(crate) fn add(&mut self, record: Arc<Record>) {
        self.unfiled.insert(record.job.id, record);
    }

    /// Puts the files of jobs that have ended away, with their reports, once it is known which files are claimed.
    pub(crate) fn put_ended(&mut self, claims: &mut Claims) {
        if !claims.is_recovered() {
            return;
        }
        let mut archive = Archive::new(&self.spool_dir);
        for (id, record) in mem::take(&mut self.unfiled) {
            let claim_id = record.private.claim.as_deref();
            let claim = claim_id.and_then(|claim| claims.kept(claim));
            let filed = match claim {
                Some(claim) => put(&mut archive, claim, &record),
                None => put_again(&mut archive, &record),
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
        let mut archive = Archive::new(&self.spool_dir);
        archive.put(claim, &claim.id, report)?;
        archive.sync()
    }

    /// From time to time: moves old files to the archive.
    pub(crate) fn clear_old(&mut self) {
        if Instant::now() < self.next_clearing {
            return;
        }
        self.next_clearing = Instant::now() + retention::INTERVAL;
        match retention::clear(&self.spool_dir, &self.rules, SystemTime::now()) {
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
fn put(archive: &mut Archive<'_>, claim: &Claim, record: &Record) -> io::Result<()> {
    let report = Report::ended(shown(&claim.name), record, video_hash(record)?);
    archive.put(claim, &record.job.id.to_string(), &report)
}

/// Files what is already in the archive: of a job that had failed and was retried.
fn put_again(archive: &mut Archive<'_>, record: &Record) -> io::Result<()> {
    let Source::Folder { file } = &record.job.source else {
        return Ok(());
    };
    let report = Report::ended(file.display().to_string(), record, video_hash(record)?);
    archive.put_again(file.as_os_str(), &record.job.id.to_string(), &report)
}

/// Whether a job that could not be filed is tried again: its file is still there, or its video can't be read now.
fn is_kept(claim: Option<&Claim>, error: &io::Error) -> bool {
    claim.is_some_and(|claim| claim.path.exists()) || error.kind() == io::ErrorKind::TimedOut
}

/// SHA-256 of a job's video, if there is one. An error: it can't be had now.
fn video_hash(record: &Record) -> io::Result<Option<String>> {
    match &record.job.state {
        JobState::Done { result, .. } => if_readable(sha256_of(&result.video)),
        _ => Ok(None),
    }
}

/// The hash, if there is one: a video that was removed meanwhile has none. One that can't be read in time is tried
/// again.
fn if_readable(hash: io::Result<String>) -> io::Result<Option<String>> {
    match hash {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error),
        hash => Ok(hash.ok()),
    }
}

/// A name for people; bytes that are no text are replaced.
fn shown(name: &OsStr) -> String {
    name.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_that_is_gone_has_no_hash_and_one_that_is_slow_is_waited_for() {
        assert_eq!(if_readable(Ok("ab".into())).unwrap(), Some("ab".into()));
        let gone = io::ErrorKind::NotFound;
        assert_eq!(if_readable(Err(gone.into())).unwrap(), None);
        let slow = io::ErrorKind::TimedOut;
        let error = if_readable(Err(slow.into())).unwrap_err();
        assert!(is_kept(None, &error));
    }
}
