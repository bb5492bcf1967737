//! The note of what was checked: each file of a repository with our own SHA-256, in the repository's folder.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use framepack_jobs::{API, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    api::{HubFile, Listing},
    hash::{Digests, HubHash},
    licence::Licence,
    target::{Lock, Target},
};

const KIND: &str = "ModelManifest";

/// The files of one repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    api: String,
    kind: String,
    pub(crate) repository: String,
    pub(crate) commit: String,
    /// Under which licence they are.
    licence: String,
    checked_at: Timestamp,
    pub(crate) files: Vec<Checked>,
}

/// A file whose bytes were those that the Hub has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checked {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// What the Hub calls it.
    pub(crate) hub: HubHash,
    /// When the file was last written, in nanoseconds since 1970: one that was written later is not this one. `None`: it
    /// was found damaged since.
    modified_ns: Option<i64>,
}

impl Manifest {
    fn new(listing: &Listing) -> Self {
        let Licence { name, link, .. } = &listing.licence;
        Self {
            api: API.to_owned(),
            kind: KIND.to_owned(),
            repository: listing.repository.name.to_owned(),
            commit: listing.commit.clone(),
            licence: format!("{name}: {link}"),
            checked_at: Timestamp::now(),
            files: Vec::new(),
        }
    }

    /// That of a listing, with what is known of its files already: those that a new commit has not changed are known, and
    /// the others are on the disk as they were until they are replaced.
    fn of(listing: &Listing, before: Option<Self>) -> Self {
        let mut manifest = Self::new(listing);
        if let Some(before) = before {
            let is_listed = |file: &Checked| listing.files.iter().any(|it| it.path == file.path);
            manifest.files = before.files;
            manifest.files.retain(is_listed);
            manifest.checked_at = before.checked_at;
        }
        manifest
    }

    /// Reads one; `None`: there is none, or none that can be read, so nothing counts as checked.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = fs::read(path).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Whether a file of that path in the repository was fetched or checked.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.files.iter().any(|file| path == Path::new(&file.path))
    }

    /// Whether the file at `path` is the one that was checked.
    pub(crate) fn knows(&self, file: &HubFile, path: &Path) -> bool {
        let mut files = self.files.iter();
        let entry = files.find(|entry| entry.path == file.path && entry.hub == file.hash);
        entry.is_some_and(|entry| entry.is_still(path))
    }
}

impl Checked {
    /// Whether nobody has written the file since.
    pub(crate) fn is_still(&self, path: &Path) -> bool {
        let known = self.modified_ns.map(|modified| (self.bytes, modified));
        known.is_some() && state(path).ok() == known
    }
}

/// Adds a file to the note of its repository.
pub(crate) fn record(
    target: &Target,
    listing: &Listing,
    file: &HubFile,
    (path, digests): (&Path, &Digests),
) -> io::Result<()> {
    let name = listing.repository.name;
    let (bytes, modified_ns) = state(path)?;
    let checked = Checked {
        path: file.path.clone(),
        bytes,
        sha256: digests.sha256.clone(),
        hub: file.hash.clone(),
        modified_ns: Some(modified_ns),
    };
    let _lock = Lock::take(&target.manifest_lock(name))?;
    let note = target.manifest(name);
    let mut manifest = Manifest::of(listing, Manifest::read(&note));
    manifest.files.retain(|other| other.path != checked.path);
    manifest.files.push(checked);
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    manifest.checked_at = Timestamp::now();
    write(&note, &manifest)
}

/// The note is of the listing's commit from now on, once all of its files are there.
pub(crate) fn move_on(target: &Target, listing: &Listing) -> io::Result<()> {
    let name = listing.repository.name;
    let note = target.manifest(name);
    let is_of_other = |it: &Manifest| it.commit != listing.commit;
    if !Manifest::read(&note).as_ref().is_some_and(is_of_other) {
        return Ok(());
    }
    let _lock = Lock::take(&target.manifest_lock(name))?;
    write(&note, &Manifest::of(listing, Manifest::read(&note)))
}

/// Notes that a file is not what was checked, so that the next fetch compares it again.
pub(crate) fn distrust(target: &Target, repository: &str, path: &Path) -> io::Result<()> {
    let note = target.manifest(repository);
    let is_trusted = |file: &Checked| path == Path::new(&file.path) && file.modified_ns.is_some();
    // Who may not write here need not, if there is nothing to note.
    if !Manifest::read(&note).is_some_and(|manifest| manifest.files.iter().any(is_trusted)) {
        return Ok(());
    }
    let _lock = Lock::take(&target.manifest_lock(repository))?;
    let Some(mut manifest) = Manifest::read(&note) else {
        return Ok(());
    };
    let damaged = manifest.files.iter_mut().filter(|file| is_trusted(file));
    damaged.for_each(|file| file.modified_ns = None);
    write(&note, &manifest)
}

/// Whoever reads it meanwhile reads the old one or the new one.
fn write(note: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(manifest)?;
    text.push('\n');
    let new = note.with_extension("json.new");
    fs::write(&new, text)?;
    fs::rename(&new, note)
}

/// Length, and when it was last written.
fn state(path: &Path) -> io::Result<(u64, i64)> {
    let metadata = fs::metadata(path)?;
    let modified_ns = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
    Ok((metadata.len(), modified_ns))
}
