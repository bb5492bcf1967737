//! From a claimed file to its answer: jobs in the queue, or why it is none.
//!
//! Files are answered in batches: their claims, their images' copies and their records each share a sync.
//! A job whose image is not there yet waits here, and is looked at again until its time is up.
//!
//! - `file`: a claimed file without an answer
//! - `intake`: a job file's text → a job that can be queued; the way in for folder and socket; `revise`: the same for
//!   another text of a job that is there
//! - `inspect`, `images`: what a file can become now
//! - `verdict`, `queue_link`: what the queue makes of it

mod file;
mod images;
mod inspect;
mod intake;
mod queue_link;
mod revise;
mod verdict;

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use framepack_config::Spool as Settings;
use tokio::runtime;
use tracing::{info, warn};

pub(crate) use self::{
    file::PendingFile,
    intake::{Intake, Offer, Refusal, bundle_defaults},
    revise::Revision,
    verdict::{Answered, Verdict},
};
use self::{
    images::Images,
    inspect::{Batch, Inspector},
    queue_link::QueueLink,
};
use super::{
    claims::Claim,
    dropped::NoJob,
    notice::{Notice, SettleRules},
};
use crate::{
    disk::{self, Copies},
    file::FileState,
    queue::{QueueHandle, Stopping, Submission, Submitted, Summary},
    record::Record,
    worker::Inspections,
};

/// Files that are claimed and answered together.
pub(crate) const BATCH: usize = 256;

/// Claimed files without an answer.
#[derive(Debug)]
pub(crate) struct Pending {
    files: Vec<PendingFile>,
    images: Images,
    inspector: Inspector,
    queue: QueueLink,
    counts: PendingCounts,
}

/// What adds up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PendingCounts {
    /// Files that became jobs.
    pub(crate) jobs: u64,
    pub(crate) duplicates: u64,
    pub(crate) rejected: u64,
}

impl PendingCounts {
    /// Counts an answer.
    fn note(&mut self, file: PendingFile, verdict: Verdict) -> Answered {
        match &verdict {
            Verdict::Jobs => self.jobs += 1,
            Verdict::Duplicate { .. } => self.duplicates += 1,
            Verdict::Rejected(_) => self.rejected += 1,
        }
        Answered { file, verdict }
    }
}

/// What files become jobs with.
#[derive(Debug)]
pub(crate) struct PendingConfig {
    pub(crate) intake: Intake,
    pub(crate) queue: QueueHandle,
    pub(crate) inspections: Inspections,
    pub(crate) settings: Settings,
    /// Where archives are unpacked.
    pub(crate) bundles: PathBuf,
}

impl Pending {
    pub(crate) fn new(config: PendingConfig, rules: SettleRules) -> Self {
        // Left by a daemon that was killed; what is still needed is unpacked again.
        let _ = fs::remove_dir_all(&config.bundles);
        Self {
            files: Vec::new(),
            images: Images::new(rules),
            inspector: Inspector {
                intake: config.intake,
                wait_inputs: config.settings.wait_inputs,
                dedupe: config.settings.dedupe,
                bundles: config.bundles,
                runtime: runtime::Handle::current(),
            },
            queue: QueueLink::new(config.queue, config.inspections),
            counts: PendingCounts::default(),
        }
    }

    /// Forgets all files, for another folder.
    pub(crate) fn clear(&mut self, rules: SettleRules) {
        self.files.clear();
        self.images = Images::new(rules);
    }

    /// Goes by other settings from now on. Images that are waited for begin to settle anew.
    pub(crate) fn take_over(&mut self, settings: Settings, rules: SettleRules) {
        self.inspector.wait_inputs = settings.wait_inputs;
        self.inspector.dedupe = settings.dedupe;
        self.images = Images::new(rules);
    }

    /// Takes a claimed file. `seen`: what it was when it looked finished, if that is held against it.
    pub(crate) fn add(&mut self, claim: Claim, seen: Option<FileState>) {
        self.files.push(PendingFile::new(claim, seen));
    }

    /// Takes back a file whose answer could not be acted on; it gets its answer anew.
    pub(crate) fn put_back(&mut self, file: PendingFile, why: String) {
        self.files.push(file.again(why));
    }

    /// Answers every file whose time has come.
    pub(crate) fn answer(&mut self, notice: &Notice) -> Result<Vec<Answered>, Stopping> {
        let now = Instant::now();
        let (mut due, later): (Vec<_>, Vec<_>) = mem::take(&mut self.files)
            .into_iter()
            .partition(|file| file.is_due(now));
        self.files = later;
        let mut answered = Vec::new();
        while !due.is_empty() {
            let rest = due.split_off(due.len().min(BATCH));
            if let Some(reason) = self.answer_batch(due, notice, &mut answered)? {
                let wait = |file: PendingFile| file.not_now(&reason);
                self.files.extend(rest.into_iter().map(wait));
                break;
            }
            due = rest;
        }
        let awaited = self.files.iter().filter_map(PendingFile::image);
        let awaited: HashSet<&OsStr> = awaited.map(Path::as_os_str).collect();
        self.images.keep_only(&awaited);
        Ok(answered)
    }

    /// Answers a batch. `Some`: why something of the daemon's own failed.
    fn answer_batch(
        &mut self,
        batch: Vec<PendingFile>,
        notice: &Notice,
        answered: &mut Vec<Answered>,
    ) -> Result<Option<String>, Stopping> {
        let (mut jobs, mut ours) = (Vec::new(), None);
        let mut look = Batch {
            inspector: &self.inspector,
            notice,
            images: &mut self.images,
            copies: Copies::default(),
        };
        for mut file in batch {
            match look.jobs_in(&mut file) {
                Ok(submissions) => jobs.push((file, submissions)),
                Err(NoJob::Refuse(rejection)) => {
                    let (name, failure) = (file.shown(), &rejection.failure);
                    info!(file = name, code = %failure.code, "rejected: {}", failure.message);
                    answered.push(self.counts.note(file, Verdict::Rejected(rejection)));
                }
                Err(NoJob::Wait(wait)) => self.files.push(file.later(wait)),
                Err(NoJob::Ours(failure)) => {
                    let (code, message) = (&failure.code, failure.message);
                    warn!(file = file.shown(), %code, "can't be taken for now; it stays claimed: {message}");
                    self.files.push(file.not_now(&message));
                    ours = Some(message);
                }
            }
        }
        if let Err(error) = self.inspector.intake.images.sync() {
            let reason = error.to_string();
            warn!("can't be taken for now; it stays claimed: {reason}");
            for (file, submissions) in jobs {
                let copies = submissions.iter().map(|submission| &submission.input);
                copies.for_each(|copy| disk::Images::remove(copy));
                self.files.push(file.not_now(&reason));
            }
            return Ok(Some(reason));
        }
        // The queue may have to wait for other shares.
        notice.rest();
        let reason = self.submit(jobs, answered)?;
        notice.beat();
        Ok(reason.or(ours))
    }

    /// Offers jobs to the queue.
    fn submit(
        &mut self,
        jobs: Vec<(PendingFile, Vec<Submission>)>,
        answered: &mut Vec<Answered>,
    ) -> Result<Option<String>, Stopping> {
        let mut ours = None;
        for (file, answers) in self.queue.submit(jobs)? {
            let name = file.shown();
            for submitted in answers.iter().flatten() {
                match submitted {
                    Submitted::New(job) => info!(file = name, job = %job.id, "accepted"),
                    Submitted::Duplicate { job, .. } | Submitted::KeyTaken(job) => {
                        info!(file = name, job = %job.id, "has the same key as that job");
                    }
                }
            }
            match Verdict::of(answers) {
                Ok(verdict) => answered.push(self.counts.note(file, verdict)),
                Err(error) => {
                    warn!(file = name, %error, "can't be taken for now; it stays claimed");
                    self.files.push(file.not_now(&error.to_string()));
                    ours = Some(error.to_string());
                }
            }
        }
        Ok(ours)
    }

    /// The job that came with this claimed file.
    pub(crate) fn job_of(&self, claim: &Claim) -> Result<Option<Arc<Record>>, Stopping> {
        self.queue.by_claim(&claim.id)
    }

    /// The name under which a file was dropped the first time.
    pub(crate) fn first_name(&self, name: &OsStr) -> Result<OsString, Stopping> {
        self.queue.first_name(name)
    }

    /// The queue at a glance.
    pub(crate) fn summary(&self) -> Result<Summary, Stopping> {
        self.queue.summary()
    }

    /// Files that may still be claimed. What waits here will be jobs, too.
    pub(crate) fn room(&self) -> Result<u64, Stopping> {
        let summary = self.queue.summary()?;
        Ok(match self.blocker() {
            Some(_) => 0,
            None => summary.room().saturating_sub(self.files.len() as u64),
        })
    }

    /// Why no more files are taken for now: something of the daemon's own fails (a full disk, the store), and they
    /// are better left where everybody sees them.
    pub(crate) fn blocker(&self) -> Option<&str> {
        let file = self.files.iter().find(|file| file.is_ours());
        file.map(PendingFile::why)
    }

    /// The files that wait, and why.
    pub(crate) fn waiting(&self) -> impl ExactSizeIterator<Item = (&OsStr, &str)> + Clone {
        let waiting = self.files.iter();
        waiting.map(|file| (file.claim().name.as_os_str(), file.why()))
    }

    /// How long nothing need be done.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.files.iter().map(PendingFile::patience).min()
    }

    pub(crate) fn counts(&self) -> PendingCounts {
        self.counts
    }
}
