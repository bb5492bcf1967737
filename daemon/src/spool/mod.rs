//! The jobs folder. Events are hints and the scan is the truth: list → classify → settle → claim → accept.
//!
//! It runs in a thread of its own, since all it does is wait for the file system. A claimed file stays claimed
//! until its job is in the store (or refused) and, later, until the job has ended; both survive a crash,
//! because the next daemon goes through its claims first.
//!
//! - `folder`, `file_system`, `watch`: which folder it is, what it lies on, and how its changes are noticed
//! - `scan`, `file_state`, `settle`, `name`: which files are job files, and which of them are finished
//! - `places`: where it is, and where the daemon's own files for it go
//! - `claim`, `rename`, `content`, `ledger`: taking a file
//! - `held`, `inspect`, `accept`, `read`, `bundle`, `again`: its way into the queue
//! - `ended`, `archive`, `retention`: where it goes when all is done, and for how long
//! - `event`: what wakes it
//! - `publish`, `status`, `metrics`: what is said of all that

mod accept;
mod again;
mod archive;
mod bundle;
mod claim;
mod content;
mod ended;
mod event;
mod file_state;
mod file_system;
mod folder;
mod held;
mod inspect;
mod ledger;
mod metrics;
mod name;
mod places;
mod publish;
mod read;
mod rename;
mod retention;
mod scan;
mod settle;
mod status;
mod watch;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ffi::OsString,
    fs, io,
    path::PathBuf,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use framepack_config::{Config, Retention, Spool as Settings};
use framepack_ipc::control::Note;
use framepack_jobs::JobId;
use tokio::{runtime, signal::unix::Signal, sync::watch as latest};
use tracing::{info, warn};

pub(crate) use event::Event;
pub(crate) use metrics::{Mode, SpoolMetrics, View};

use self::{
    accept::BATCH,
    claim::{Claim, Claims},
    event::{ScanProgress, ScanWaiter},
    folder::{Folder, Presence},
    held::{Held, RETRY, blocker},
    metrics::SpoolCounters,
    places::Places,
    publish::unusable,
    scan::{Observation, Unsettled},
    settle::Settling,
    status::StatusFile,
};
use crate::{
    intake::Intake,
    queue::{QueueHandle, Stopping},
    record::Record,
    state_dir::Layout,
};

/// The jobs folder and everything that is on its way through it.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: Folder,
    daemon_id: String,
    claims: Claims,
    intake: Intake,
    queue: QueueHandle,
    runtime: runtime::Handle,
    settings: Settings,
    retention: Retention,
    /// Where archives are unpacked.
    bundles: PathBuf,
    next_clearing: Instant,
    settling: Settling,
    /// The files of the folder that are not taken.
    observations: HashMap<OsString, Observation>,
    /// The images of claimed files, which settle by the same rules.
    images: Settling,
    /// Names that arrived by rename.
    renamed: HashSet<OsString>,
    /// What the last scan left.
    unsettled: Unsettled,
    /// Files that can't be claimed, and why.
    troubles: BTreeMap<OsString, String>,
    /// Whether the last daemon's claims have been gone through.
    is_recovered: bool,
    /// Claimed, and neither queued nor refused yet.
    held: Vec<Held>,
    /// Claimed files of jobs in the queue, by the claims' ids.
    of_jobs: HashMap<String, Claim>,
    /// Ended, and their files not filed yet.
    unfiled: BTreeMap<JobId, Arc<Record>>,
    status: StatusFile,
    totals: SpoolCounters,
    /// What the last listing took.
    listing: Duration,
    view: latest::Sender<View>,
    /// Who wants to know what the next look comes to.
    scan_waiters: Vec<ScanWaiter>,
    _lease_guard: Signal,
}

/// What the spool needs from the daemon.
#[derive(Debug)]
pub(crate) struct SpoolConfig<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layout: &'a Layout,
    pub(crate) daemon_id: &'a str,
    pub(crate) intake: Intake,
    pub(crate) queue: QueueHandle,
    /// Where the hints of the file system go.
    pub(crate) events: mpsc::Sender<Event>,
    /// How it is, for others to tell.
    pub(crate) view: latest::Sender<View>,
}

impl Spool {
    pub(crate) fn open(config: SpoolConfig<'_>) -> io::Result<Self> {
        let (settings, layout) = (config.config.spool, config.layout);
        let bundles = layout.bundles();
        // Left by a daemon that was killed; what is still needed is unpacked again.
        let _ = fs::remove_dir_all(&bundles);
        let spool_dir = settings.readonly.then(|| layout.spool());
        let places = Places::new(config.config.paths.jobs.clone(), spool_dir);
        // Watched from now on, so that no rename is missed once the daemon says that it is ready.
        let (folder, claims) = Folder::open(places, config.daemon_id, settings, config.events)?;
        Ok(Self {
            claims,
            daemon_id: config.daemon_id.to_owned(),
            intake: config.intake,
            queue: config.queue,
            runtime: runtime::Handle::current(),
            settings,
            retention: config.config.retention,
            bundles,
            next_clearing: Instant::now(),
            settling: Settling::new(folder.rules()),
            observations: HashMap::new(),
            images: Settling::new(folder.rules()),
            folder,
            renamed: HashSet::new(),
            unsettled: Unsettled::default(),
            troubles: BTreeMap::new(),
            is_recovered: false,
            held: Vec::new(),
            of_jobs: HashMap::new(),
            unfiled: BTreeMap::new(),
            status: StatusFile::default(),
            totals: SpoolCounters::default(),
            listing: Duration::ZERO,
            view: config.view,
            scan_waiters: Vec::new(),
            _lease_guard: crate::file::guard()?,
        })
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self, events: &mpsc::Receiver<Event>) {
        if let Err(stopping) = self.work(events) {
            info!("no longer reading the jobs folder: {stopping}");
        }
    }

    fn work(&mut self, events: &mpsc::Receiver<Event>) -> Result<(), Stopping> {
        loop {
            let patience = self.pass()?;
            if self.wait(events, patience).is_break() {
                return Ok(());
            }
        }
    }

    /// One round. Returns how long nothing need be done.
    fn pass(&mut self) -> Result<Duration, Stopping> {
        self.folder.check_events(Instant::now());
        let (left, unusable) = match self.folder.check() {
            Ok(presence) => {
                if let Presence::Replaced(claims) = presence {
                    self.switch_folder(claims);
                }
                self.work_through()?
            }
            Err(error) => (0, Some(unusable(&self.folder, &error))),
        };
        let summary = self.runtime.block_on(self.queue.summary())?;
        self.publish(left, &summary, unusable);
        let is_stuck = summary.room() == 0 || blocker(&self.held).is_some();
        let progress = match left {
            0 => ScanProgress::Done,
            _ if is_stuck => ScanProgress::Done,
            _ => ScanProgress::More,
        };
        self.answer_scan_waiters(left, progress);
        Ok(match progress {
            ScanProgress::More => Duration::ZERO,
            ScanProgress::Done => self.patience(),
        })
    }

    /// What is left from earlier rounds first, then the folder. Returns how many files could be taken and are
    /// not yet, and why the folder can't be read.
    fn work_through(&mut self) -> Result<(usize, Option<Note>), Stopping> {
        if !self.is_recovered {
            self.recover()?;
        }
        self.answer_held()?;
        self.file_ended();
        self.clear_old();
        let mut settled = match self.scan() {
            Ok(settled) => settled,
            Err(error) => return Ok((0, Some(unusable(&self.folder, &error)))),
        };
        let summary = self.runtime.block_on(self.queue.summary())?;
        // What is held will be jobs, too.
        let room = match blocker(&self.held) {
            Some(_) => 0,
            None => summary.room().saturating_sub(self.held.len() as u64),
        };
        let left = settled.split_off(settled.len().min(BATCH).min(room as usize));
        self.take(settled)?;
        Ok((left.len(), None))
    }

    /// How long nothing need be done, if nothing is heard.
    fn patience(&self) -> Duration {
        let settle = self.folder.rules().settle;
        let mut patience = self.folder.scan_interval();
        if !self.unsettled.files.is_empty() {
            patience = patience.min(settle);
        }
        if !self.unfiled.is_empty() {
            patience = patience.min(RETRY);
        }
        let held = self.held.iter().map(Held::wait).min();
        patience.min(held.unwrap_or(patience))
    }

    /// Another folder is in the place of the one that was watched.
    fn switch_folder(&mut self, claims: Claims) {
        warn!(folder = %self.folder.path().display(), "the jobs folder was replaced; watching the new one");
        self.claims = claims;
        self.is_recovered = false;
        self.settling = Settling::new(self.folder.rules());
        self.images = Settling::new(self.folder.rules());
        self.renamed.clear();
        self.held.clear();
        self.of_jobs.clear();
        self.status = StatusFile::default();
    }
}
