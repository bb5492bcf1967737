//! One file, until it is there and what the Hub has.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    busy::{Busy, Entered},
    error::FetchError,
    plan::{Planned, check_room},
    pool::Stop,
    progress::{FileProgress, Progress},
};
use crate::{
    api::Client,
    hash::{self, Digests},
    manifest::{self, Manifest},
    target::{Lock, Presence, Taking, Target, create_folder_of, is_unwritable},
};

/// A file that came with other bytes than the Hub's comes once more.
const ATTEMPTS: usize = 2;
/// Whether another fetch is done with a file.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What fetching takes, for all files.
#[derive(Debug)]
pub(crate) struct Fetch<'a> {
    pub(crate) client: &'a Client,
    pub(crate) target: &'a Target,
    pub(crate) progress: &'a Progress,
    /// Set when a file has failed: the others stop where they are.
    pub(crate) stop: &'a Stop,
    pub(crate) busy: Busy,
    /// Held while the note of what was checked is written.
    pub(crate) noting: Mutex<()>,
    /// What has come from the Hub.
    pub(crate) came_bytes: AtomicU64,
    /// Whether the user knows that the file system has no locks.
    pub(crate) is_warned: AtomicBool,
}

impl Fetch<'_> {
    /// Brings a file to its place and notes its hash, unless that is done already.
    pub(crate) fn file(&self, planned: &Planned<'_>) -> Result<(), FetchError> {
        let shown = self.progress.file(planned);
        let place = &planned.place;
        if self.is_done(planned) {
            shown.finish(true);
            return Ok(());
        }
        let lock = match self.lock(&place.lock, &shown) {
            Ok(lock) => lock,
            // Whoever may not write need not, if all is there.
            Err(FetchError::File { error, .. })
                if is_unwritable(&error) && is_there(planned, &shown)? =>
            {
                shown.finish(true);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let there = self.found(planned, &shown)?;
        if there.is_none() {
            self.download(planned, &shown)?;
        }
        let was_there = there.is_some();
        // What has its name needs no other.
        if there.is_none_or(|path| path == place.data) {
            place.publish().map_err(FetchError::file(place.name()))?;
        }
        drop(lock);
        shown.finish(was_there);
        Ok(())
    }

    /// Whether it is there by its name, and known.
    fn is_done(&self, planned: &Planned<'_>) -> bool {
        let place = &planned.place;
        place.is_whole(planned.file.bytes) && self.knows(planned, place.name())
    }

    /// The file, if it is on this disk: by its own name, or with the same bytes by another.
    fn found(
        &self,
        planned: &Planned<'_>,
        shown: &FileProgress<'_>,
    ) -> Result<Option<PathBuf>, FetchError> {
        let (place, bytes) = (&planned.place, planned.file.bytes);
        for path in place.whole(bytes) {
            if self.check(planned, &path, shown)? {
                return Ok(Some(path));
            }
        }
        for path in place.others(bytes) {
            if self.adopt(planned, &path, shown)? {
                return Ok(Some(place.data.clone()));
            }
        }
        Ok(None)
    }

    fn knows(&self, planned: &Planned<'_>, path: &Path) -> bool {
        let note = self.target.manifest(planned.listing.repository.name);
        Manifest::read(&note).is_some_and(|note| note.knows(planned.file, path))
    }

    /// The lock of a file; while another thread or another fetch has it, this one waits.
    fn lock(
        &self,
        path: &Path,
        shown: &FileProgress<'_>,
    ) -> Result<(Entered<'_>, Lock), FetchError> {
        let mut is_told = false;
        loop {
            if let Some(entered) = self.busy.enter(path) {
                if let Some(lock) = Lock::try_take(path).map_err(FetchError::file(path))? {
                    self.warn(&lock);
                    return Ok((entered, lock));
                }
                if !is_told {
                    let name = shown.name();
                    let line = format!("{name}: another fetch is at it; waiting");
                    self.progress.note(&line);
                    is_told = true;
                }
            }
            if self.stop.wait(LOOK_AGAIN) {
                return Err(FetchError::Stopped);
            }
        }
    }

    /// Says once that others are not kept out.
    fn warn(&self, lock: &Lock) {
        if !lock.is_real && !self.is_warned.swap(true, Ordering::Relaxed) {
            self.progress.note(
                "the file system has no locks: see to it that no other fetch runs there meanwhile",
            );
        }
    }

    /// Whether a file that is there is the Hub's.
    fn check(
        &self,
        planned: &Planned<'_>,
        path: &Path,
        shown: &FileProgress<'_>,
    ) -> Result<bool, FetchError> {
        if self.knows(planned, path) {
            return Ok(true);
        }
        let digests = digests(planned, path, shown)?;
        if planned.file.hash.is_of(&digests) {
            self.record(planned, path, &digests)?;
            return Ok(true);
        }
        let name = shown.name();
        self.progress.note(&format!(
            "{name}: the file that is there is not the Hub's, and is replaced"
        ));
        Ok(false)
    }

    /// Takes a file that is there under another name, if its bytes are the same. Weights are many bytes, which nobody edits.
    fn adopt(
        &self,
        planned: &Planned<'_>,
        path: &Path,
        shown: &FileProgress<'_>,
    ) -> Result<bool, FetchError> {
        let taking = if planned.file.path.ends_with(".safetensors") {
            Taking::Share
        } else {
            Taking::Copy
        };
        let digests = digests(planned, path, shown)?;
        let is_taken =
            planned.file.hash.is_of(&digests) && planned.place.take(path, taking).is_ok();
        if is_taken {
            self.record(planned, &planned.place.data, &digests)?;
        }
        Ok(is_taken)
    }

    fn download(&self, planned: &Planned<'_>, shown: &FileProgress<'_>) -> Result<(), FetchError> {
        let (place, wanted) = (&planned.place, planned.file);
        // What was missing from the start was counted then.
        if !matches!(planned.presence, Presence::Part(_)) {
            check_room(self.target.root(), place.missing(wanted.bytes))?;
        }
        let mut found = String::new();
        let mut came = 0;
        while came < ATTEMPTS {
            let was_begun = place.missing(wanted.bytes) < wanted.bytes;
            let (digests, partial) = self.to_the_end(planned, shown)?;
            if wanted.hash.is_of(&digests) {
                let data = &*place.data;
                let moved = create_folder_of(data).and_then(|()| fs::rename(&partial, data));
                moved.map_err(FetchError::file(data))?;
                return self.record(planned, data, &digests);
            }
            fs::remove_file(&partial).map_err(FetchError::file(partial))?;
            let name = shown.name();
            self.progress.note(&format!(
                "{name}: it came with other bytes than the Hub's, and is thrown away"
            ));
            digests.like(&wanted.hash).clone_into(&mut found);
            // What an earlier run left may be what was wrong.
            if !was_begun {
                came += 1;
            }
        }
        Err(FetchError::Hash {
            path: shown.name().to_owned(),
            expected: wanted.hash.as_str().to_owned(),
            found,
        })
    }

    fn record(
        &self,
        planned: &Planned<'_>,
        path: &Path,
        digests: &Digests,
    ) -> Result<(), FetchError> {
        let _alone = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = manifest::record(self.target, planned.listing, planned.file, (path, digests));
        noted.map_err(FetchError::file(path))
    }
}

/// Whether a file is there by its name, with the Hub's bytes; nothing is noted.
fn is_there(planned: &Planned<'_>, shown: &FileProgress<'_>) -> Result<bool, FetchError> {
    let (place, file) = (&planned.place, planned.file);
    Ok(place.is_whole(file.bytes) && file.hash.is_of(&digests(planned, place.name(), shown)?))
}

/// What the bytes of a file that is there come to.
fn digests(
    planned: &Planned<'_>,
    path: &Path,
    shown: &FileProgress<'_>,
) -> Result<Digests, FetchError> {
    let digests = hash::of_file(path, Some(&planned.file.hash), |bytes| shown.checked(bytes));
    digests.map_err(FetchError::file(path))
}
