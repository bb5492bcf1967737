//! A survey of a bundle that is a folder: whether anything in it has changed, and that it has only regular files.

use std::{
    fs::{self, File, Metadata},
    io,
    path::Path,
};

use super::{
    error::BundleError,
    job_file::job_file,
    limits::{MAX_BYTES, MAX_DEPTH, MAX_ENTRIES},
};
use crate::{
    file::{FileState, is_open_for_writing},
    folder::dropped::{self, JobText, is_leftover},
};

/// A file of this name says that a folder is complete.
const READY: &str = "READY";

/// A look at all of a folder.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    root: &'a Path,
    /// Of all files together.
    state: FileState,
    entries: usize,
    /// Whether somebody writes to one of the files.
    is_open: bool,
}

impl<'a> Survey<'a> {
    pub(crate) fn of(root: &'a Path) -> Result<Self, BundleError> {
        let metadata = root.symlink_metadata().map_err(|error| damaged(&error))?;
        let mut survey = Self {
            root,
            state: (&metadata).into(),
            entries: 0,
            is_open: false,
        };
        survey.walk(root, MAX_DEPTH)?;
        Ok(survey)
    }

    fn walk(&mut self, folder: &Path, depth: usize) -> Result<(), BundleError> {
        for entry in fs::read_dir(folder).map_err(|error| damaged(&error))? {
            let entry = entry.map_err(|error| damaged(&error))?;
            if is_leftover(&entry.file_name()) {
                continue;
            }
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
                self.is_open |= file.and_then(|file| is_open_for_writing(&file)) == Some(true);
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
        self.state = self.state.with(metadata);
        if self.state.size_bytes > MAX_BYTES {
            return Err(BundleError::TooLarge);
        }
        Ok(())
    }

    /// Whether its writer says that it is complete.
    pub(crate) fn is_ready(&self) -> bool {
        self.root.join(READY).exists()
    }

    /// The state of all of it.
    pub(crate) fn state(&self) -> FileState {
        self.state
    }

    /// Whether somebody writes to one of the files.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Why its job file looks as if it were still being written, if it does.
    pub(crate) fn unfinished(&self) -> Option<String> {
        let text = job_file(self.root)
            .map_err(|error| error.to_string())
            .and_then(|job| JobText::read(&job).map_err(|error| error.to_string()));
        match text {
            Ok(job) => dropped::unfinished(&job.text),
            Err(error) => Some(error),
        }
    }
}

fn damaged(error: &io::Error) -> BundleError {
    BundleError::Damaged {
        reason: error.to_string(),
    }
}
