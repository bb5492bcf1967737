//! One file, until it is there and what the Hub has.

use std::{fs, path::Path, sync::atomic::AtomicBool};

use super::{
    error::FetchError,
    plan::Planned,
    progress::{FileProgress, Progress},
};
use crate::{
    api::Client,
    hash::{self, Digests},
    manifest::{self, Manifest},
    target::{Lock, Presence, Target, create_folder_of},
};

/// A file that came with other bytes than the Hub's comes once more.
const ATTEMPTS: usize = 2;

/// What fetching takes, for all files.
#[derive(Debug)]
pub(crate) struct Fetch<'a> {
    pub(crate) client: &'a Client,
    pub(crate) target: &'a Target,
    pub(crate) progress: &'a Progress,
    /// Set when a file has failed: the others stop where they are.
    pub(crate) stop: &'a AtomicBool,
}

impl Fetch<'_> {
    /// Brings a file to its place and notes its hash, unless that is done already.
    pub(crate) fn file(&self, planned: &Planned<'_>) -> Result<(), FetchError> {
        let shown = self.progress.file(planned);
        let place = &planned.place;
        let wait = || {
            let name = shown.name();
            let line = format!("{name}: another fetch is at it; waiting");
            self.progress.note(&line);
        };
        let lock = Lock::take(&place.lock, wait).map_err(FetchError::file(&*place.lock))?;
        let is_there = match place.presence(planned.file.bytes) {
            Presence::Whole(path) => self.check(planned, &path, &shown)?,
            Presence::Other(path) => self.adopt(planned, &path, &shown)?,
            Presence::Part(_) => false,
        };
        if !is_there {
            self.download(planned, &shown)?;
        }
        place.publish().map_err(FetchError::file(&*place.data))?;
        drop(lock);
        shown.finish(is_there);
        Ok(())
    }

    /// Whether a file that is there is the Hub's.
    fn check(
        &self,
        planned: &Planned<'_>,
        path: &Path,
        shown: &FileProgress<'_>,
    ) -> Result<bool, FetchError> {
        let note = self.target.manifest(planned.listing.repository.name);
        if Manifest::read(&note).is_some_and(|note| note.knows(planned.file, path)) {
            return Ok(true);
        }
        let wanted = &planned.file.hash;
        let digests = hash::of_file(path, Some(wanted), |bytes| shown.checked(bytes));
        let digests = digests.map_err(FetchError::file(path))?;
        if wanted.is_of(&digests) {
            self.record(planned, path, &digests)?;
            return Ok(true);
        }
        let name = shown.name();
        self.progress.note(&format!(
            "{name}: the file that is there is not the Hub's; it is fetched again"
        ));
        Ok(false)
    }

    /// Takes a file that is there under another name, if its bytes are the same, by a second name of them.
    fn adopt(
        &self,
        planned: &Planned<'_>,
        path: &Path,
        shown: &FileProgress<'_>,
    ) -> Result<bool, FetchError> {
        let wanted = &planned.file.hash;
        let digests = hash::of_file(path, Some(wanted), |bytes| shown.checked(bytes));
        let digests = digests.map_err(FetchError::file(path))?;
        let data = &*planned.place.data;
        let is_linked = wanted.is_of(&digests)
            && create_folder_of(data).is_ok()
            && fs::hard_link(path, data).is_ok();
        if is_linked {
            self.record(planned, data, &digests)?;
        }
        Ok(is_linked)
    }

    fn download(&self, planned: &Planned<'_>, shown: &FileProgress<'_>) -> Result<(), FetchError> {
        let (place, wanted) = (&planned.place, planned.file);
        let mut found = String::new();
        for _ in 0..ATTEMPTS {
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
        let noted = manifest::record(self.target, planned.listing, planned.file, (path, digests));
        noted.map_err(FetchError::file(path))
    }
}
