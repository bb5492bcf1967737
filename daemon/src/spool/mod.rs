//! The jobs folder. Events are hints and the scan is the truth: list → classify → settle → claim → accept.
//!
//! It runs in a thread of its own, since all it does is wait for the file system. A claimed file stays claimed
//! until its job is in the store (or refused) and, later, until the job has ended; both survive a crash,
//! because the next daemon goes through its claims first.

mod again;
mod archive;
mod claim;
mod name;
mod read;
mod settle;
mod watch;

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, Metadata},
    io,
    path::PathBuf,
    sync::{Arc, mpsc},
    time::{Duration, Instant, SystemTime},
};

use framepack_config::yaml;
use framepack_jobs::{Failure, Source};
use notify::RecommendedWatcher;
use tokio::runtime;
use tracing::{info, warn};

pub(crate) use claim::{random_id, sync_dir};
pub use settle::SettleRules;

use self::{
    claim::{Claim, Claims},
    read::read_job_file,
    settle::{Content, Look, Settling},
};
use crate::{
    intake::{Intake, Offer, Refusal, Rejection},
    queue::{QueueHandle, Stopping, Submitted},
    report::Report,
    store::Record,
};

/// How often the folder is listed when nothing happens in it: events get lost, and some file systems send none.
const SCAN_INTERVAL: Duration = Duration::from_secs(5);

/// What wakes the spool.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something changed in the folder.
    Changed,
    /// A file of this name was renamed into the folder, so it is whole.
    Renamed(OsString),
    /// A job has ended.
    Finished(Arc<Record>),
    /// The daemon is stopping.
    Stop,
}

/// The jobs folder and everything that is on its way through it.
#[derive(Debug)]
pub(crate) struct Spool {
    jobs: PathBuf,
    claims: Claims,
    intake: Intake,
    queue: QueueHandle,
    runtime: runtime::Handle,
    settling: Settling,
    /// Names that arrived by rename since the last scan.
    renamed: HashSet<OsString>,
    /// Whether the last daemon's claims have been gone through.
    is_recovered: bool,
    /// Claimed, and neither queued nor refused yet.
    unanswered: Vec<Claim>,
    /// Ended, and their files not put away yet.
    unfiled: Vec<Arc<Record>>,
    _watcher: Option<RecommendedWatcher>,
}

/// What the spool needs from the daemon.
#[derive(Debug)]
pub(crate) struct SpoolConfig<'a> {
    pub(crate) jobs: PathBuf,
    pub(crate) daemon_id: &'a str,
    pub(crate) rules: SettleRules,
    pub(crate) intake: Intake,
    pub(crate) queue: QueueHandle,
    /// Where the hints of the file system go.
    pub(crate) events: mpsc::Sender<Event>,
}

impl Spool {
    pub(crate) fn open(config: SpoolConfig<'_>) -> io::Result<Self> {
        Ok(Self {
            claims: Claims::open(&config.jobs, config.daemon_id)?,
            // Now, so that no rename is missed from the moment in which the daemon says that it is ready.
            _watcher: watch::start(&config.jobs, config.events),
            jobs: config.jobs,
            intake: config.intake,
            queue: config.queue,
            runtime: runtime::Handle::current(),
            settling: Settling::new(config.rules),
            renamed: HashSet::new(),
            is_recovered: false,
            unanswered: Vec::new(),
            unfiled: Vec::new(),
        })
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self, events: &mpsc::Receiver<Event>) {
        if let Err(stopping) = self.work(events) {
            info!("the jobs folder is left alone: {stopping}");
        }
    }

    fn work(&mut self, events: &mpsc::Receiver<Event>) -> Result<(), Stopping> {
        loop {
            self.pass()?;
            let wait = self.settling.next_look().unwrap_or(SCAN_INTERVAL);
            let first = match events.recv_timeout(wait) {
                Ok(event) => Some(event),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
            };
            for event in first.into_iter().chain(events.try_iter()) {
                match event {
                    Event::Changed => {}
                    Event::Renamed(name) => {
                        self.renamed.insert(name);
                    }
                    Event::Finished(record) => self.unfiled.push(record),
                    Event::Stop => return Ok(()),
                }
            }
        }
    }

    /// Goes through what the last daemon had claimed; in the next round again, if that can't be listed.
    fn recover(&mut self) -> Result<(), Stopping> {
        let claims = match self.claims.list() {
            Ok(claims) => claims,
            Err(error) => {
                warn!(%error, "listing the claimed files");
                return Ok(());
            }
        };
        self.is_recovered = true;
        for claim in claims {
            match self
                .runtime
                .block_on(self.queue.by_claim(claim.id.clone()))?
            {
                Some(record) if record.job.is_finished() => self.unfiled.push(record),
                Some(_) => {}
                None if self.unanswered.contains(&claim) => {}
                None => self.unanswered.push(claim),
            }
        }
        Ok(())
    }

    /// One round: what is left from earlier ones first, then the folder.
    fn pass(&mut self) -> Result<(), Stopping> {
        if !self.is_recovered {
            self.recover()?;
        }
        for claim in std::mem::take(&mut self.unanswered) {
            self.answer(claim)?;
        }
        for record in std::mem::take(&mut self.unfiled) {
            self.file_ended(record);
        }
        match self.scan() {
            Ok(settled) => settled.into_iter().try_for_each(|name| self.take(&name)),
            Err(error) => {
                warn!(folder = %self.jobs.display(), %error, "listing the jobs folder");
                Ok(())
            }
        }
    }

    /// Names of the files that can be taken, the oldest first.
    fn scan(&mut self) -> io::Result<Vec<OsString>> {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let (mut present, mut settled) = (HashSet::new(), Vec::new());
        for entry in fs::read_dir(&self.jobs)? {
            let entry = entry?;
            let name = entry.file_name();
            // A file that has just gone is no concern of ours.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if !name::is_job_file(&name) || metadata.is_dir() {
                continue;
            }
            // Links, pipes and devices never settle: they are taken to be refused.
            let whole = self.renamed.contains(&name) || !metadata.is_file();
            if whole || self.is_settled(&name, &metadata, (now, clock)) {
                settled.push((metadata.modified()?, name));
            } else {
                present.insert(name);
            }
        }
        self.settling.keep_only(&present);
        self.renamed.clear();
        settled.sort();
        Ok(settled.into_iter().map(|(_, name)| name).collect())
    }

    fn is_settled(
        &mut self,
        name: &OsString,
        metadata: &Metadata,
        (now, clock): (Instant, SystemTime),
    ) -> bool {
        let path = self.jobs.join(name);
        self.settling.is_settled(
            &Look::new(name, metadata, clock),
            now,
            || match read_job_file(&path) {
                Ok(text) if text.ends_with('\n') && yaml::parse(&text).is_ok() => Content::Complete,
                _ => Content::Partial,
            },
        )
    }

    /// Claims a file and offers it to the queue.
    fn take(&mut self, name: &OsString) -> Result<(), Stopping> {
        let first = self.first_name(name)?;
        match self.claims.take(name, &first) {
            Ok(Some(claim)) => self.answer(claim),
            Ok(None) => Ok(()),
            Err(error) => {
                warn!(file = %name.display(), %error, "claiming");
                Ok(())
            }
        }
    }

    /// Gives a claimed file its answer: a job, or a place among the refused.
    fn answer(&mut self, claim: Claim) -> Result<(), Stopping> {
        let file = claim.name.display().to_string();
        match self.accept(&claim) {
            Ok(submission) => match self.runtime.block_on(self.queue.submit(submission))? {
                Ok(Submitted::New(job)) => info!(file, job = %job.id, "accepted"),
                Ok(Submitted::Duplicate(job) | Submitted::KeyTaken(job)) => {
                    info!(file, job = %job.id, "has the key of that job");
                    self.refuse(&claim, &Report::duplicate(file, &job));
                }
                Err(error) => {
                    warn!(file, %error, "not taken now; it stays claimed");
                    self.unanswered.push(claim);
                }
            },
            Err(Refusal::Rejected(Rejection { failure, problems })) => {
                info!(file, code = failure.code, "rejected: {}", failure.message);
                self.refuse(&claim, &Report::rejected(file, &failure, &problems));
            }
            Err(Refusal::NotNow(Failure { code, message, .. })) => {
                warn!(file, code, "not taken now; it stays claimed: {message}");
                self.unanswered.push(claim);
            }
        }
        Ok(())
    }

    fn accept(&self, claim: &Claim) -> Result<crate::queue::Submission, Refusal> {
        let text = read_job_file(&claim.path)
            .map_err(|error| Refusal::Rejected(error.into_failure().into()))?;
        let (stem, _) = name::split_suffix(&claim.name);
        let offer = Offer {
            text: &text,
            stem: &stem.to_string_lossy(),
            folder: &self.jobs,
            source: Source::Folder {
                file: claim.name.to_string_lossy().into_owned().into(),
            },
            claim: Some(claim.id.clone()),
        };
        self.intake.accept(offer)
    }

    fn refuse(&mut self, claim: &Claim, report: &Report<'_>) {
        if let Err(error) = archive::put_away(&self.jobs, claim, &claim.id, report) {
            warn!(file = %claim.path.display(), %error, "putting a file away; it stays claimed");
            self.unanswered.push(claim.clone());
        }
    }

    /// Puts the file of a job that has ended away, with its report.
    fn file_ended(&mut self, record: Arc<Record>) {
        let Some(id) = &record.private.claim else {
            return;
        };
        let filed = self.claims.find(id).and_then(|claim| {
            let Some(claim) = claim else { return Ok(()) };
            let file = claim.name.display().to_string();
            let report = Report::ended(file, &record.job, record.private.worker_version.as_deref());
            archive::put_away(&self.jobs, &claim, &record.job.id.to_string(), &report).map(drop)
        });
        if let Err(error) = filed {
            warn!(job = %record.job.id, %error, "putting the job's file away; it stays claimed");
            self.unfiled.push(record);
        }
    }
}
