//! One listing of the jobs folder: which files can be taken, and why the others can't.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use tracing::warn;

use super::{
    Spool,
    bundle::{self, Survey},
    file_state::FileState,
    name::{self, Form},
    read::{JobText, WriteStamp, is_open_for_writing},
    settle::{Candidate, Completeness, Readiness},
};
use crate::file::Fingerprint;

/// Folders of the daemon's own in the jobs folder.
const OWN_FOLDERS: [&str; 6] = [
    "claimed",
    "done",
    "failed",
    "rejected",
    "duplicate",
    "archive",
];

/// A file that can be taken.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) name: OsString,
    modified: SystemTime,
    /// What it was when that was decided.
    pub(super) written: WriteStamp,
    pub(super) fingerprint: Fingerprint,
}

impl Settled {
    pub(super) fn new(name: OsString, metadata: &Metadata) -> Self {
        Self {
            name,
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            written: metadata.into(),
            fingerprint: metadata.into(),
        }
    }
}

/// Since when a file has been seen, and when last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    pub(super) since: Instant,
    latest: Instant,
}

/// What was seen in the folder and is not taken yet.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// Files, and why.
    pub(super) files: BTreeMap<OsString, String>,
    /// Folders with job files in them, which nobody reads, and how many.
    pub(super) folders: BTreeMap<OsString, Nested>,
}

/// A folder in the jobs folder.
#[derive(Debug)]
pub(super) struct Nested {
    modified: SystemTime,
    pub(super) job_files: usize,
}

impl Spool {
    /// Lists the folder. Returns the files that can be taken, the oldest first.
    pub(super) fn scan(&mut self) -> io::Result<Vec<Settled>> {
        let (now, clock) = (Instant::now(), self.folder.clock());
        self.totals.listings += 1;
        let mut settled = Vec::new();
        let mut unsettled = BTreeMap::new();
        let mut folders = BTreeMap::new();
        let jobs = self.folder.path().to_owned();
        for entry in fs::read_dir(&jobs)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_folder = entry.file_type().is_ok_and(|file_type| file_type.is_dir());
            let form = name::form(&name);
            if is_folder && form != Some(Form::Folder) {
                if let Some(nested) = self.nested(&entry.path(), &name) {
                    if nested.job_files > 0 && !self.unsettled.folders.contains_key(&name) {
                        warn!(folder = %name.display(), files = nested.job_files, "job files in subfolders of the jobs folder are not read");
                    }
                    folders.insert(name, nested);
                }
                continue;
            }
            // A file called `.job` is some other program's.
            let is_bundle = form == Some(Form::Folder);
            if !name::is_job_file(&name) || is_bundle != is_folder {
                continue;
            }
            // The file may have just gone.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if self.claims.has(&name, &metadata) {
                continue;
            }
            self.observe(&name, now);
            match self.readiness(&name, &metadata, (now, clock)) {
                Readiness::Settled => settled.push(Settled::new(name, &metadata)),
                Readiness::Waiting(why) => {
                    self.troubles.remove(&name);
                    unsettled.insert(name, why);
                }
            }
        }
        // What was not listed now is not there any more.
        let observations = &mut self.observations;
        observations.retain(|_, observation| observation.latest == now);
        self.settling
            .keep_only(|name| observations.contains_key(name));
        self.renamed.retain(|name| observations.contains_key(name));
        self.troubles
            .retain(|name, _| observations.contains_key(name));
        self.unsettled = Unsettled {
            files: unsettled,
            folders,
        };
        self.listing = now.elapsed();
        settled.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        Ok(settled)
    }

    /// Notes that a file is in the folder.
    fn observe(&mut self, name: &OsStr, now: Instant) {
        if let Some(observation) = self.observations.get_mut(name) {
            observation.latest = now;
            return;
        }
        let observation = Observation {
            since: now,
            latest: now,
        };
        self.observations.insert(name.to_owned(), observation);
        self.totals.seen += 1;
    }

    fn readiness(
        &mut self,
        name: &OsStr,
        metadata: &Metadata,
        (now, clock): (Instant, SystemTime),
    ) -> Readiness {
        let state = FileState::new(name, metadata, clock);
        let path = || self.folder.path().join(name);
        if metadata.is_dir() {
            return self.readiness_of_folder(&path(), metadata, (now, clock));
        }
        // Links, pipes and devices never settle: they are taken to be refused.
        if !metadata.is_file() || self.settling.has_settled(&state) {
            return Readiness::Settled;
        }
        let candidate = JobFileCandidate(path());
        let is_whole = self.renamed.contains(name) && !candidate.is_open();
        if !is_whole
            && let waiting @ Readiness::Waiting(_) =
                self.settling.readiness(&state, now, &candidate)
        {
            return waiting;
        }
        self.settling.settle(&state, now);
        Readiness::Settled
    }

    /// The same for a bundle that is a folder.
    fn readiness_of_folder(
        &mut self,
        path: &Path,
        metadata: &Metadata,
        (now, clock): (Instant, SystemTime),
    ) -> Readiness {
        let name = path.file_name().unwrap_or_default();
        match Survey::of(path) {
            Ok(survey) if survey.is_ready() => Readiness::Settled,
            Ok(survey) if self.renamed.contains(name) && !survey.is_open() => Readiness::Settled,
            Ok(survey) => self.settling.readiness(&survey.state(clock), now, &survey),
            Err(error) => {
                let state = FileState::new(name, metadata, clock);
                let broken = InvalidBundle(error.to_string());
                self.settling.readiness(&state, now, &broken)
            }
        }
    }

    /// A folder in which somebody may think that jobs are read.
    fn nested(&self, path: &Path, name: &OsStr) -> Option<Nested> {
        let is_own = OWN_FOLDERS.iter().any(|own| name == *own);
        if is_own || name.as_encoded_bytes().starts_with(b".") {
            return None;
        }
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        let modified = modified.ok()?;
        let known = self.unsettled.folders.get(name);
        let job_files = match known {
            Some(known) if known.modified == modified => known.job_files,
            _ => count_job_files(path),
        };
        Some(Nested {
            modified,
            job_files,
        })
    }
}

fn count_job_files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    names.filter(|name| name::is_job_file(name)).count()
}

/// A file that may be a job.
struct JobFileCandidate(PathBuf);

impl Candidate for JobFileCandidate {
    fn completeness(&self) -> Completeness {
        match self.0.file_name().and_then(name::form) {
            Some(form @ (Form::Zip | Form::TarZst)) => bundle::check(&self.0, form),
            _ => match JobText::read(&self.0) {
                Ok(job) => Completeness::of(&job.text),
                Err(error) => Completeness::Partial(error.to_string()),
            },
        }
    }

    fn is_open(&self) -> bool {
        is_open_for_writing(&self.0)
    }
}

/// A bundle in which there is what none may have.
struct InvalidBundle(String);

impl Candidate for InvalidBundle {
    fn completeness(&self) -> Completeness {
        Completeness::Partial(self.0.clone())
    }

    fn is_open(&self) -> bool {
        false
    }
}
