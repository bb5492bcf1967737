//! Notices what is dropped: events are hints and the listing is the truth. Yields the files that have settled.
//!
//! - `watched`, `file_system`, `watch`: which folder it is, what it lies on, and how its changes are noticed
//! - `places`: where it is, and where the daemon's own files for it go
//! - `settle`, `candidate`: which of the files are finished
//! - `untaken`, `nested`: what else is in the folder, and why it is not taken

mod candidate;
mod file_system;
mod nested;
mod places;
mod settle;
mod untaken;
mod watch;
mod watched;

use std::{
    collections::{BTreeMap, HashSet},
    ffi::{OsStr, OsString},
    fs::{self, DirEntry, Metadata},
    io,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use framepack_config::Spool as Config;
use tokio::signal::unix::Signal;
use tracing::warn;

use self::{
    candidate::{DroppedFile, InvalidBundle},
    untaken::Untaken,
    watched::Watched,
};
pub(crate) use self::{
    nested::Nested,
    places::{Access, Places},
    settle::{Candidate, Moment, SettleRules, Settling},
    untaken::UntakenFile,
    watch::Mode,
};
use super::{
    bundle::Survey,
    dropped::{self, Form, Wait},
    wake::{Event, Hint},
};
use crate::{
    disk::Pulse,
    file::{self, FileState},
};

/// The jobs folder, and what is seen in it.
#[derive(Debug)]
pub(crate) struct Notice {
    watched: Watched,
    /// That the folder answers.
    pulse: Pulse,
    settling: Settling,
    untaken: Untaken,
    /// Folders with job files in them, which nobody reads, and how many.
    nested: BTreeMap<OsString, Nested>,
    /// Conflict copies of job files, and which program made them.
    conflicts: BTreeMap<OsString, &'static str>,
    /// Names that arrived by rename.
    renamed: HashSet<OsString>,
    counts: NoticeCounts,
    /// What the last listing took.
    listing: Duration,
    _lease_guard: Signal,
}

/// What adds up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoticeCounts {
    /// Files seen.
    pub(crate) seen: u64,
    pub(crate) listings: u64,
    /// How often the kernel's queue of events ran over.
    pub(crate) overflows: u64,
}

/// A file that can be taken.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) name: OsString,
    /// What it was when that was decided.
    pub(crate) state: FileState,
}

impl Notice {
    /// Begins to watch the folder.
    pub(crate) fn open(
        places: Places,
        daemon_id: &str,
        config: Config,
        (events, pulse): (mpsc::Sender<Event>, Pulse),
    ) -> io::Result<Self> {
        let watched = Watched::open(places, daemon_id, config, events)?;
        Ok(Self {
            pulse,
            settling: Settling::new(watched.rules()),
            watched,
            untaken: Untaken::default(),
            nested: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            renamed: HashSet::new(),
            counts: NoticeCounts::default(),
            listing: Duration::ZERO,
            _lease_guard: file::guard()?,
        })
    }

    /// Notes what the file system tells.
    pub(crate) fn heed(&mut self, hint: Hint) {
        match hint {
            Hint::Changed => {}
            Hint::Lost => self.counts.overflows += 1,
            Hint::Renamed(name) => {
                self.renamed.insert(name);
            }
            Hint::Probed => self.watched.confirm_events(),
        }
    }

    /// Whether another folder is in the place of the one that is watched. An error: it is gone, or can't be used.
    pub(crate) fn is_replaced(&mut self) -> io::Result<bool> {
        self.watched.check_events(Instant::now());
        self.watched.is_replaced()
    }

    /// Goes by other settings from now on. What has not settled yet begins to settle anew.
    pub(crate) fn take_over(&mut self, config: Config) {
        self.watched.take_over(config);
        self.settling = Settling::new(self.rules());
    }

    /// Watches the folder that is there now.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.watched.reopen()?;
        warn!(folder = %self.path().display(), "the jobs folder was replaced; watching the new one");
        self.settling = Settling::new(self.rules());
        self.renamed.clear();
        Ok(())
    }

    /// Lists the folder. Returns the files that can be taken, the oldest first. `is_taken`: of which files there is
    /// a claim although they are in the folder.
    pub(crate) fn settled(
        &mut self,
        mut is_taken: impl FnMut(&OsStr, &FileState) -> bool,
    ) -> io::Result<Vec<Settled>> {
        let moment = self.moment();
        self.counts.listings += 1;
        let (mut settled, mut unsettled) = (Vec::new(), BTreeMap::new());
        let (mut nested, mut conflicts) = (BTreeMap::new(), BTreeMap::new());
        for entry in fs::read_dir(self.path())? {
            self.pulse.beat();
            let entry = entry?;
            let name = entry.file_name();
            let is_folder = entry.file_type().is_ok_and(|file_type| file_type.is_dir());
            let is_bundle = dropped::form(&name) == Some(Form::Folder);
            if is_folder && !is_bundle {
                let folder = self.nested_in(&entry.path(), &name);
                nested.extend(folder.map(|folder| (name, folder)));
                continue;
            }
            if let Some(program) = dropped::conflict(&name) {
                self.pass_over(&name, program);
                conflicts.insert(name, program);
                continue;
            }
            // A file called `.job` is some other program's.
            if !dropped::is_job_file(&name) || is_bundle != is_folder {
                continue;
            }
            // The file may have just gone.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let state = FileState::from(&metadata);
            if is_taken(&name, &state) {
                continue;
            }
            self.counts.seen += u64::from(self.untaken.observe(&name, moment.now));
            match self.look(&entry, &metadata, moment) {
                Ok(()) => settled.push(Settled { name, state }),
                Err(wait) => {
                    self.untaken.no_trouble(&name);
                    unsettled.insert(name, wait);
                }
            }
        }
        self.untaken.listed(moment.now, unsettled);
        let untaken = &self.untaken;
        self.settling.keep_only(|name| untaken.has(name));
        self.renamed.retain(|name| untaken.has(name));
        self.nested = nested;
        self.conflicts = conflicts;
        self.listing = moment.now.elapsed();
        settled.sort_by(|a, b| (a.state.mtime, &a.name).cmp(&(b.state.mtime, &b.name)));
        Ok(settled)
    }

    /// Whether an entry of the folder can be taken.
    fn look(&mut self, entry: &DirEntry, metadata: &Metadata, moment: Moment) -> Result<(), Wait> {
        let name = entry.file_name();
        let state = FileState::from(metadata);
        let is_renamed = self.renamed.contains(&name);
        if metadata.is_dir() {
            return match Survey::of(&entry.path()) {
                Ok(survey) if survey.is_ready() || (is_renamed && !survey.is_open()) => Ok(()),
                Ok(survey) => self.settling.look(&name, survey.state(), moment, &survey),
                Err(error) => {
                    let broken = InvalidBundle(error.to_string());
                    self.settling.look(&name, state, moment, &broken)
                }
            };
        }
        // Links, pipes and devices never settle: they are taken to be refused.
        if !metadata.is_file() || self.settling.has_settled(&name, state) {
            return Ok(());
        }
        let path = entry.path();
        let file = DroppedFile(&path);
        if !is_renamed || file.is_open() {
            self.settling.look(&name, state, moment, &file)?;
        }
        self.settling.settle(&name, state, moment.now);
        Ok(())
    }

    /// A folder in which somebody may think that jobs are read.
    fn nested_in(&self, path: &Path, name: &OsStr) -> Option<Nested> {
        let known = self.nested.get(name);
        let nested = Nested::of(path, known)?;
        if nested.job_files > 0 && known.is_none() {
            warn!(folder = %name.display(), files = nested.job_files, "job files in subfolders of the jobs folder are not read");
        }
        Some(nested)
    }

    /// A copy of a job file, and not one more job; logged once.
    fn pass_over(&self, name: &OsStr, program: &str) {
        if !self.conflicts.contains_key(name) {
            warn!(file = %name.display(), program, "a conflict copy of a job file is passed over");
        }
    }

    /// The folder answers.
    pub(crate) fn beat(&self) {
        self.pulse.beat();
    }

    /// Nothing is asked of it for now.
    pub(crate) fn rest(&self) {
        self.pulse.rest();
    }

    /// Notes that a file was taken. Whether it had arrived by rename, as a whole.
    pub(crate) fn taken(&mut self, name: &OsStr) -> bool {
        self.untaken.no_trouble(name);
        self.renamed.remove(name)
    }

    /// Notes why a file can't be taken.
    pub(crate) fn trouble(&mut self, name: OsString, why: String) {
        self.untaken.trouble(name, why);
    }

    /// Now, also by the clock that the files' times come from.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            now: Instant::now(),
            clock: self.watched.clock(),
        }
    }

    /// How long nothing need be done, if nothing is heard.
    pub(crate) fn patience(&self) -> Duration {
        let interval = self.watched.scan_interval();
        if self.untaken.is_unsettled() {
            return interval.min(self.rules().settle);
        }
        interval
    }

    pub(crate) fn path(&self) -> &Path {
        &self.watched.places().jobs
    }

    pub(crate) fn access(&self) -> Access {
        self.watched.places().access()
    }

    /// How long files settle here.
    pub(crate) fn rules(&self) -> SettleRules {
        self.watched.rules()
    }

    pub(crate) fn mode(&self) -> Mode {
        self.watched.mode()
    }

    /// How the folder is watched, for people.
    pub(crate) fn describe(&self) -> String {
        self.watched.describe()
    }

    /// The files that are not taken, and why.
    pub(crate) fn untaken(&self) -> impl Iterator<Item = (&OsStr, &str)> + Clone {
        self.untaken.reasons()
    }

    /// The same, the oldest first.
    pub(crate) fn untaken_by_age(&self) -> Vec<UntakenFile<'_>> {
        self.untaken.by_age()
    }

    /// Folders with job files in them.
    pub(crate) fn nested(&self) -> impl Iterator<Item = (&OsStr, usize)> {
        let nested = self.nested.iter();
        let nested = nested.map(|(name, nested)| (name.as_os_str(), nested.job_files));
        nested.filter(|(_, job_files)| *job_files > 0)
    }

    /// Conflict copies of job files, and which program made them.
    pub(crate) fn conflicts(&self) -> impl Iterator<Item = (&OsStr, &'static str)> {
        let conflicts = self.conflicts.iter();
        conflicts.map(|(name, program)| (name.as_os_str(), *program))
    }

    pub(crate) fn counts(&self) -> NoticeCounts {
        self.counts
    }

    /// What the last listing took.
    pub(crate) fn listing(&self) -> Duration {
        self.listing
    }
}
