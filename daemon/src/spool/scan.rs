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
    look::Look,
    name::{self, Form},
    read::{JobText, Written, is_open_for_writing},
    settle::{Candidate, Content, Verdict},
};
use crate::fingerprint::Fingerprint;

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
    pub(super) written: Written,
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
pub(super) struct Sighting {
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
            // A file that has just gone is no concern of ours.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if self.claims.has(&name, &metadata) {
                continue;
            }
            self.sight(&name, now);
            match self.verdict(&name, &metadata, (now, clock)) {
                Verdict::Settled => settled.push(Settled::new(name, &metadata)),
                Verdict::Waiting(why) => {
                    self.troubles.remove(&name);
                    unsettled.insert(name, why);
                }
            }
        }
        // What was not listed now is not there any more.
        let sightings = &mut self.sightings;
        sightings.retain(|_, sighting| sighting.latest == now);
        self.settling.keep_only(|name| sightings.contains_key(name));
        self.renamed.retain(|name| sightings.contains_key(name));
        self.troubles.retain(|name, _| sightings.contains_key(name));
        self.unsettled = Unsettled {
            files: unsettled,
            folders,
        };
        self.listing = now.elapsed();
        settled.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        Ok(settled)
    }

    /// Notes that a file is in the folder.
    fn sight(&mut self, name: &OsStr, now: Instant) {
        if let Some(sighting) = self.sightings.get_mut(name) {
            sighting.latest = now;
            return;
        }
        let sighting = Sighting {
            since: now,
            latest: now,
        };
        self.sightings.insert(name.to_owned(), sighting);
        self.totals.seen += 1;
    }

    fn verdict(
        &mut self,
        name: &OsStr,
        metadata: &Metadata,
        (now, clock): (Instant, SystemTime),
    ) -> Verdict {
        let look = Look::new(name, metadata, clock);
        let path = || self.folder.path().join(name);
        if metadata.is_dir() {
            return self.verdict_of_folder(&path(), metadata, (now, clock));
        }
        // Links, pipes and devices never settle: they are taken to be refused.
        if !metadata.is_file() || self.settling.has_settled(&look) {
            return Verdict::Settled;
        }
        let draft = Draft(path());
        let is_whole = self.renamed.contains(name) && !draft.is_open();
        if !is_whole
            && let waiting @ Verdict::Waiting(_) = self.settling.verdict(&look, now, &draft)
        {
            return waiting;
        }
        self.settling.settle(&look, now);
        Verdict::Settled
    }

    /// The same for a bundle that is a folder.
    fn verdict_of_folder(
        &mut self,
        path: &Path,
        metadata: &Metadata,
        (now, clock): (Instant, SystemTime),
    ) -> Verdict {
        let name = path.file_name().unwrap_or_default();
        match Survey::of(path) {
            Ok(survey) if survey.is_ready() => Verdict::Settled,
            Ok(survey) if self.renamed.contains(name) && !survey.is_open() => Verdict::Settled,
            Ok(survey) => self.settling.verdict(&survey.look(clock), now, &survey),
            Err(error) => {
                let look = Look::new(name, metadata, clock);
                let broken = Broken(error.to_string());
                self.settling.verdict(&look, now, &broken)
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
struct Draft(PathBuf);

impl Candidate for Draft {
    fn content(&self) -> Content {
        match self.0.file_name().and_then(name::form) {
            Some(form @ (Form::Zip | Form::TarZst)) => bundle::check(&self.0, form),
            _ => match JobText::read(&self.0) {
                Ok(job) => Content::of(&job.text),
                Err(error) => Content::Partial(error.to_string()),
            },
        }
    }

    fn is_open(&self) -> bool {
        is_open_for_writing(&self.0)
    }
}

/// A bundle in which there is what none may have.
struct Broken(String);

impl Candidate for Broken {
    fn content(&self) -> Content {
        Content::Partial(self.0.clone())
    }

    fn is_open(&self) -> bool {
        false
    }
}
