//! The jobs folder: what is dropped there becomes jobs, and goes where its job ends.
//!
//! It runs in a thread of its own, since all it does is wait for the file system. A claimed file stays claimed
//! until its job is in the store (or refused) and, later, until the job has ended; both survive a crash,
//! because the next daemon goes through its claims first.
//!
//! - `dropped`: what a dropped file is by its name and content, and the answers to whether it is a job
//! - `bundle`: a job file and its images as one
//! - `notice`: the files of the folder, until they have settled
//! - `claims`: taking a file
//! - `pending`: a claimed file's way into the queue
//! - `filing`: where it goes when all is done, and for how long; `held`: whether it is there yet
//! - `status`: what is said of all that
//! - `wake`: what wakes the thread

mod bundle;
mod claims;
mod dropped;
mod filing;
mod held;
mod notice;
mod pending;
mod status;
mod wake;

use std::{
    io,
    ops::ControlFlow,
    sync::mpsc,
    time::{Duration, Instant},
};

use framepack_ipc::control::Note;
use framepack_jobs::Code;
use tokio::sync::watch;
use tracing::{info, warn};

use self::{
    claims::Claims,
    filing::Filing,
    held::HeldQuestions,
    notice::{Access, Notice, Places, Settled},
    pending::{Answered, BATCH, Pending, PendingConfig, Verdict},
    status::{Look, Progress, Sources, Status},
};
pub(crate) use self::{
    dropped::Rejection,
    notice::Mode,
    pending::{Intake, Offer, Refusal, Revision, bundle_defaults},
    status::{FolderMetrics, View},
    wake::{Event, HeldQuestion, ended_jobs},
};
use crate::{
    clock::Clock,
    disk::Disk,
    queue::{QueueHandle, Stopping},
    running::RunningConfig,
    state_dir::Layout,
    worker::Inspections,
};

/// The jobs folder and everything that is on its way through it.
#[derive(Debug)]
pub(crate) struct Folder {
    notice: Notice,
    claims: Claims,
    pending: Pending,
    filing: Filing,
    held: HeldQuestions,
    status: Status,
    running: RunningConfig,
}

/// What the folder needs from the daemon.
#[derive(Debug)]
pub(crate) struct FolderConfig {
    pub(crate) running: RunningConfig,
    pub(crate) layout: Layout,
    pub(crate) daemon_id: String,
    pub(crate) intake: Intake,
    pub(crate) queue: QueueHandle,
    pub(crate) inspections: Inspections,
    pub(crate) disk: Disk,
    pub(crate) clock: Clock,
    /// Where the hints of the file system go.
    pub(crate) events: mpsc::Sender<Event>,
    /// How it is, for others to tell.
    pub(crate) view: watch::Sender<View>,
}

impl Folder {
    pub(crate) fn open(config: FolderConfig) -> io::Result<Self> {
        let running = &config.running.now().config;
        let (settings, daemon_id) = (running.spool, config.daemon_id.as_str());
        let pulse = config.disk.guard(&running.paths.jobs);
        pulse.beat();
        let own = settings.readonly.then(|| config.layout.spool());
        let places = Places::new(running.paths.jobs.clone(), own);
        let claims = Claims::open(places.clone(), daemon_id)?;
        let spool_dir = places.spool_dir.clone();
        // Watched from now on, so that no rename is missed once the daemon says that it is ready.
        let heard = (config.events, pulse);
        let notice = Notice::open(places, daemon_id, settings, heard)?;
        let pending = PendingConfig {
            intake: config.intake,
            queue: config.queue,
            inspections: config.inspections,
            settings,
            bundles: config.layout.bundles(),
        };
        Ok(Self {
            claims,
            pending: Pending::new(pending, notice.rules()),
            notice,
            filing: Filing::new(
                spool_dir.clone(),
                running.retention,
                config.disk,
                config.clock.clone(),
            ),
            held: HeldQuestions::default(),
            status: Status::new(
                daemon_id.to_owned(),
                spool_dir,
                settings.alarm,
                config.view,
                config.clock,
            ),
            running: config.running.clone(),
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
            self.notice.rest();
            if self.wait(events, patience).is_break() {
                return Ok(());
            }
        }
    }

    /// One round: what has settled is claimed, what is claimed gets its answer, and what is answered or has ended is
    /// filed. Returns how long nothing need be done.
    fn pass(&mut self) -> Result<Duration, Stopping> {
        self.notice.beat();
        let look = match self.follow() {
            Ok(()) => self.look()?,
            Err(error) => self.unusable(&error),
        };
        self.held.answer(&self.claims);
        let summary = self.pending.summary()?;
        let sources = Sources {
            notice: &self.notice,
            claims: &self.claims,
            pending: &self.pending,
        };
        Ok(match self.status.publish(sources, &summary, look) {
            Progress::More => Duration::ZERO,
            Progress::Done => self.patience(),
        })
    }

    /// What is left from earlier rounds first, then the folder.
    fn look(&mut self) -> Result<Look, Stopping> {
        self.recover()?;
        self.answer()?;
        self.filing.put_ended(&mut self.claims, &self.notice);
        self.filing.clear_old();
        let claims = &mut self.claims;
        let mut settled = match self.notice.settled(|name, state| claims.has(name, state)) {
            Ok(settled) => settled,
            Err(error) => return Ok(self.unusable(&error)),
        };
        let room = BATCH.min(self.pending.room()? as usize);
        let left = settled.split_off(settled.len().min(room)).len();
        if self.claim(settled)? {
            self.answer()?;
        }
        let unusable = None;
        Ok(Look { left, unusable })
    }

    /// Claims these files. Whether any was.
    fn claim(&mut self, settled: Vec<Settled>) -> Result<bool, Stopping> {
        let mut is_any = false;
        for file in settled {
            self.notice.beat();
            let known_as = self.pending.first_name(&file.name)?;
            match self.claims.take(&file, &known_as) {
                Ok(Some(claim)) => {
                    let is_whole = self.notice.taken(&file.name);
                    // A copy was compared when it was made, and nobody writes to it.
                    let is_checked = is_whole || self.notice.access() == Access::ReadOnly;
                    self.pending.add(claim, (!is_checked).then_some(file.state));
                    is_any = true;
                }
                Ok(None) => {}
                Err(error) => {
                    let why = format!("it can't be claimed: {error}");
                    self.notice.trouble(file.name, why);
                }
            }
        }
        if is_any && let Err(error) = self.claims.sync() {
            // The names may come back after a crash, and are claimed again then.
            warn!(%error, "syncing the claims folder");
        }
        Ok(is_any)
    }

    /// Answers claimed files. Those of jobs stay claimed until the jobs have ended; what became none is filed.
    fn answer(&mut self) -> Result<(), Stopping> {
        for Answered { file, verdict } in self.pending.answer(&self.notice)? {
            let claim = file.claim();
            let filed = match verdict {
                Verdict::Jobs => {
                    self.claims.keep(file.into_claim());
                    continue;
                }
                Verdict::Rejected(why) => self.filing.put_rejected(claim, &why),
                Verdict::Duplicate { job, difference } => {
                    self.filing.put_duplicate(claim, &job, difference)
                }
            };
            if let Err(error) = filed {
                warn!(file = %claim.path.display(), %error, "filing a claimed file; it stays claimed");
                let why = format!("it can't be filed: {error}");
                self.pending.put_back(file, why);
            }
        }
        Ok(())
    }

    /// Goes through what is claimed: what the last daemon left, or what lies in a folder that came back.
    /// In the next round again, if it can't be listed.
    fn recover(&mut self) -> Result<(), Stopping> {
        let claims = match self.claims.recover() {
            Ok(claims) => claims,
            Err(error) => {
                warn!(%error, "listing the claimed files");
                return Ok(());
            }
        };
        for claim in claims {
            let Some(record) = self.pending.job_of(&claim)? else {
                self.pending.add(claim, None);
                continue;
            };
            self.claims.keep(claim);
            if record.job.is_finished() {
                self.filing.add(record);
            }
        }
        Ok(())
    }

    /// Goes over to another folder that is in the place of the one that was watched. An error: there is none, or it
    /// can't be used.
    fn follow(&mut self) -> io::Result<()> {
        if !self.notice.is_replaced()? {
            return Ok(());
        }
        self.claims.reopen()?;
        self.notice.reopen()?;
        self.pending.clear(self.notice.rules());
        self.status.clear();
        Ok(())
    }

    /// Does as the configuration says that was read again.
    fn take_over(&mut self) {
        let running = &self.running.now().config;
        let settings = running.spool;
        self.notice.take_over(settings);
        self.pending.take_over(settings, self.notice.rules());
        self.filing.take_over(running.retention);
        self.status.take_over(settings.alarm);
    }

    /// The folder is gone, or can't be read.
    fn unusable(&self, error: &io::Error) -> Look {
        let folder = self.notice.path().display();
        let message = format!("the jobs folder {folder} can't be used: {error}");
        let unusable = Some(Note::new(Code::JOBS_FOLDER_GONE, message));
        Look { left: 0, unusable }
    }

    /// How long nothing need be done, if nothing is heard.
    fn patience(&self) -> Duration {
        let others = [self.pending.patience(), self.filing.patience()];
        let patience = self.notice.patience();
        others.into_iter().flatten().fold(patience, Duration::min)
    }

    /// Waits for a reason to look at the folder. Breaks off when the daemon stops.
    fn wait(&mut self, events: &mpsc::Receiver<Event>, patience: Duration) -> ControlFlow<()> {
        let until = Instant::now() + patience;
        loop {
            let Some(heard) = wake::heard(events, until) else {
                return ControlFlow::Break(());
            };
            let is_reason = heard.is_empty() || heard.iter().any(Event::is_reason);
            heard.into_iter().try_for_each(|event| self.heed(event))?;
            if is_reason {
                return ControlFlow::Continue(());
            }
        }
    }

    fn heed(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Hint(hint) => self.notice.heed(hint),
            Event::Ended(record) => self.filing.add(record),
            Event::Held(question) => self.held.add(question),
            Event::Scan(reply) => {
                let sources = Sources {
                    notice: &self.notice,
                    claims: &self.claims,
                    pending: &self.pending,
                };
                self.status.ask(reply, sources);
            }
            Event::Reloaded => self.take_over(),
            Event::Stop => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}
