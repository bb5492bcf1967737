//! A survey of a bundle that is a folder: whether anything in it has changed, and that it has only regular files.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    super::{
        file_state::FileState,
        settle::{Candidate, Completeness},
    },
    Bundle, BundleError, MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, READY,
};
use crate::file::Fingerprint;

/// A look at all of a folder.
#[derive(Debug)]
pub(in crate::spool) struct Survey<'a> {
    root: &'a Path,
    /// Of all files together: their number and sizes summed up, the latest of their times.
    fingerprint: Fingerprint,
    newest: SystemTime,
    entries: usize,
    /// Whether somebody writes to one of the files.
    is_open: bool,
}

impl<'a> Survey<'a> {
    pub(in crate::spool) fn of(root: &'a Path) -> Result<Self, BundleError> {
        let metadata = root.symlink_metadata().map_err(|error| damaged(&error))?;
        let mut survey = Self {
            root,
            fingerprint: (&metadata).into(),
            newest: modified(&metadata),
            entries: 0,
            is_open: false,
        };
        survey.walk(root, MAX_DEPTH)?;
        Ok(survey)
    }

    fn walk(&mut self, folder: &Path, depth: usize) -> Result<(), BundleError> {
        for entry in fs::read_dir(folder).map_err(|error| damaged(&error))? {
            let entry = entry.map_err(|error| damaged(&error))?;
            let (path, metadata) = (entry.path(), entry.metadata());
            let metadata = metadata.map_err(|error| damaged(&error))?;
            let name = || entry.file_name().to_string_lossy().into_owned();
            self.note(&metadata)?;
            if metadata.is_dir() {
                let Some(depth) = depth.checked_sub(1) else {
                    return Err(BundleError::Outside { name: name() });
                };
                self.walk(&path, depth)?;
            } else if metadata.is_file() {
                let file = File::open(&path).ok();
                self.is_open |=
                    file.and_then(|file| crate::file::is_open_for_writing(&file)) == Some(true);
            } else {
                return Err(BundleError::Special {
                    name: name(),
                    kind: "not a regular file",
                });
            }
        }
        Ok(())
    }

    fn note(&mut self, metadata: &Metadata) -> Result<(), BundleError> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(BundleError::TooMany);
        }
        let print = &mut self.fingerprint;
        print.size_bytes += metadata.len();
        print.mtime = print.mtime.max((metadata.mtime(), metadata.mtime_nsec()));
        print.ctime = print.ctime.max((metadata.ctime(), metadata.ctime_nsec()));
        self.newest = self.newest.max(modified(metadata));
        if print.size_bytes > MAX_BYTES {
            return Err(BundleError::TooLarge);
        }
        Ok(())
    }

    /// Whether its writer says that it is complete.
    pub(in crate::spool) fn is_ready(&self) -> bool {
        self.root.join(READY).exists()
    }

    /// The same as a look at a file.
    pub(in crate::spool) fn state(&self, clock: SystemTime) -> FileState<'a> {
        let age = clock.duration_since(self.newest);
        FileState {
            name: self.root.file_name().unwrap_or_default(),
            fingerprint: self.fingerprint,
            age: age.unwrap_or(Duration::ZERO),
        }
    }
}

impl Survey<'_> {
    /// Whether somebody writes to one of the files.
    pub(in crate::spool) fn is_open(&self) -> bool {
        self.is_open
    }
}

impl Candidate for Survey<'_> {
    fn completeness(&self) -> Completeness {
        let text = Bundle::of(self.root, None)
            .map_err(|error| error.to_string())
            .and_then(|bundle| fs::read_to_string(bundle.job).map_err(|error| error.to_string()));
        match text {
            Ok(text) => Completeness::of(&text),
            Err(error) => Completeness::Partial(error),
        }
    }

    fn is_open(&self) -> bool {
        self.is_open
    }
}

fn modified(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn damaged(error: &io::Error) -> BundleError {
    BundleError::Damaged {
        reason: error.to_string(),
    }
}
