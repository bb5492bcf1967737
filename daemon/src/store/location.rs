//! Where the store lies in the state directory, and how much room it needs there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use framepack_jobs::Timestamp;

use super::error::StoreError;
use crate::{events::EventLimits, file};

/// Copies of damaged stores that are kept.
const MAX_ASIDE: usize = 3;

/// The store's places.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    /// The state directory.
    pub(crate) state: PathBuf,
    /// Bytes that must be free, beside twice the database's size, before sled is opened: a start on a full disk
    /// spoils its snapshot.
    pub(crate) floor_bytes: u64,
    /// The state directory is not new: a store that is not there is missed.
    pub(crate) is_used: bool,
    /// How much of the log of events is kept.
    pub(crate) event_limits: EventLimits,
}

impl Location {
    pub(crate) fn database(&self) -> PathBuf {
        self.state.join("store")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// What happened, for those who follow it.
    pub(super) fn events(&self) -> PathBuf {
        self.state.join("events")
    }

    /// What users have decided about the queue as a whole.
    pub(super) fn notes(&self) -> PathBuf {
        self.state.join("notes.json")
    }

    /// What was repaired and nobody has taken notice of.
    pub(super) fn repairs(&self) -> PathBuf {
        self.state.join("repaired.json")
    }

    /// Bytes of the database's files.
    pub(crate) fn database_bytes(&self) -> u64 {
        folder_bytes(&self.database())
    }

    /// Bytes that must be free.
    pub(crate) fn needed_bytes(&self) -> u64 {
        self.floor_bytes.saturating_add(2 * self.database_bytes())
    }

    /// Refuses when too little is free.
    pub(crate) fn check_space(&self) -> Result<(), StoreError> {
        let free_bytes = file::free_bytes(&self.state)?;
        let needed_bytes = self.needed_bytes();
        if free_bytes < needed_bytes {
            return Err(StoreError::NoSpace {
                folder: self.state.clone(),
                needed_bytes,
                free_bytes,
            });
        }
        Ok(())
    }

    /// A new folder for copies of what is damaged; the oldest ones are removed.
    pub(super) fn aside(&self) -> io::Result<PathBuf> {
        let damaged = self.state.join("damaged");
        let folder = damaged.join(Timestamp::now().to_string().replace(':', "-"));
        fs::create_dir_all(&folder)?;
        let mut folders: Vec<PathBuf> = fs::read_dir(&damaged)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        folders.sort();
        let too_many = folders.len().saturating_sub(MAX_ASIDE);
        for old in &folders[..too_many] {
            fs::remove_dir_all(old)?;
        }
        Ok(folder)
    }
}

/// Copies a folder of files and folders.
pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
