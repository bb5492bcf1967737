//! From a claimed file to its answer: a job in the queue, or a place among the refused.
//!
//! Files are answered in batches: their claims, their images' copies and their records each share a sync.
//! A job whose image is not there yet is held, and looked at again until its time is up.

use std::{collections::HashSet, ffi::OsString, mem, time::Instant};

use framepack_jobs::{Failure, Job};
use tracing::{info, warn};

use super::{
    Spool,
    archive::Archive,
    held::{Held, RETRY},
    inspect::Inspected,
    places::Access,
    scan::Settled,
};
use crate::{
    disk::{self, Copies},
    intake::Rejection,
    queue::{Stopping, Submission, Submitted},
    record::Report,
};

/// Files that are claimed and answered together.
pub(super) const BATCH: usize = 256;
impl Spool {
    /// Claims these files and answers them.
    pub(super) fn take(&mut self, settled: Vec<Settled>) -> Result<(), Stopping> {
        let before = self.held.len();
        for file in settled {
            let known_as = self.first_name(&file.name)?;
            match self.claims.take(&file, &known_as) {
                Ok(Some(claim)) => {
                    self.totals.claimed += 1;
                    self.troubles.remove(&file.name);
                    let is_whole = self.renamed.remove(&file.name);
                    // A copy was compared when it was made, and nobody writes to it.
                    let is_checked = is_whole || self.folder.access() == Access::ReadOnly;
                    let written = (!is_checked).then_some(file.written);
                    self.held.push(Held::new(claim, written));
                }
                Ok(None) => {}
                Err(error) => self.trouble(file.name, format!("it can't be claimed: {error}")),
            }
        }
        if self.held.len() == before {
            return Ok(());
        }
        if let Err(error) = self.claims.sync() {
            // The names may come back after a crash, and are claimed again then.
            warn!(%error, "syncing the claims folder");
        }
        self.answer_held()
    }

    /// Answers every claimed file whose time has come.
    pub(super) fn answer_held(&mut self) -> Result<(), Stopping> {
        let now = Instant::now();
        let (mut due, later): (Vec<_>, Vec<_>) = mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.next_look <= now);
        self.held = later;
        while !due.is_empty() {
            let rest = due.split_off(due.len().min(BATCH));
            if let Some(reason) = self.answer(due)? {
                let wait = |held: Held| held.not_now(&reason);
                self.held.extend(rest.into_iter().map(wait));
                break;
            }
            due = rest;
        }
        let awaited: HashSet<OsString> = (self.held.iter())
            .filter_map(|held| held.image.clone())
            .collect();
        self.images.keep_only(|image| awaited.contains(image));
        Ok(())
    }

    /// Answers a batch. `Some`: why something of the daemon's own failed.
    fn answer(&mut self, batch: Vec<Held>) -> Result<Option<String>, Stopping> {
        let (mut copies, mut jobs, mut ours) = (Copies::default(), Vec::new(), None);
        for mut held in batch {
            match self.look_into(&mut held, &mut copies) {
                Inspected::Job(submission) => jobs.push((held, submission)),
                Inspected::Refused(Rejection { failure, problems }) => {
                    let file = held.file();
                    info!(file, code = %failure.code, "rejected: {}", failure.message);
                    self.totals.rejected += 1;
                    self.refuse(held, &Report::rejected(file, &failure, &problems));
                }
                Inspected::NotYet { after, why } => self.held.push(held.later(after, why)),
                Inspected::NotNow(Failure { code, message, .. }) => {
                    let file = held.file();
                    warn!(file, %code, "can't be taken for now; it stays claimed: {message}");
                    self.held.push(held.not_now(&message));
                    ours = Some(message);
                }
            }
        }
        if let Err(error) = self.intake.inputs.sync() {
            let reason = error.to_string();
            warn!("can't be taken for now; it stays claimed: {reason}");
            for (held, submission) in jobs {
                disk::remove(&submission.input);
                self.held.push(held.not_now(&reason));
            }
            return Ok(Some(reason));
        }
        self.submit(jobs).map(|reason| reason.or(ours))
    }

    /// Offers jobs to the queue, all at once, so that they share a sync.
    fn submit(&mut self, jobs: Vec<(Held, Box<Submission>)>) -> Result<Option<String>, Stopping> {
        let mut offered = Vec::with_capacity(jobs.len());
        for (held, submission) in jobs {
            let answer = self
                .runtime
                .block_on(self.queue.begin_submit(*submission))?;
            offered.push((held, answer));
        }
        let mut ours = None;
        for (held, answer) in offered {
            let file = held.file();
            match self.runtime.block_on(answer).map_err(|_| Stopping)? {
                Ok(Submitted::New(job)) => {
                    info!(file, job = %job.id, "accepted");
                    self.totals.jobs += 1;
                    self.of_jobs.insert(held.claim.id.clone(), held.claim);
                }
                Ok(Submitted::Duplicate { job, difference }) => {
                    self.refuse_duplicate(held, &job, difference);
                }
                Ok(Submitted::KeyTaken(job)) => self.refuse_duplicate(held, &job, Vec::new()),
                Err(error) => {
                    warn!(file, %error, "can't be taken for now; it stays claimed");
                    self.held.push(held.not_now(&error.to_string()));
                    ours = Some(error.to_string());
                }
            }
        }
        Ok(ours)
    }

    fn refuse_duplicate(&mut self, held: Held, job: &Job, difference: Vec<String>) {
        let file = held.file();
        info!(file, job = %job.id, "has the same key as that job");
        self.totals.duplicates += 1;
        self.refuse(held, &Report::duplicate(file, job, difference));
    }

    /// Puts a file away that became no job.
    fn refuse(&mut self, held: Held, report: &Report<'_>) {
        let mut archive = Archive::new(self.folder.spool_dir());
        let put = archive.put(&held.claim, &held.claim.id, report);
        if let Err(error) = put.and_then(|()| archive.sync()) {
            warn!(file = %held.claim.path.display(), %error, "filing a claimed file; it stays claimed");
            let why = format!("it can't be filed: {error}");
            self.held.push(held.later(RETRY, why));
        }
    }
}
