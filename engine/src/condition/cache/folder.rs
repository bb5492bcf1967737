//! Entries as files: `<key>.safetensors`.
//!
//! Several workers may use one folder. A file appears complete, by a rename, and what another worker removes
//! in between is a miss. A file's time of change is the time of its last use, by which the oldest go.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::key::Key;
use crate::sealed::{self, Tensors};

/// A folder of entries.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Where a file is before it is complete. One name a writer: what a killed one leaves is overwritten.
    unfinished: PathBuf,
    max_files: usize,
}

impl Folder {
    pub(super) fn open(path: &Path, writer: &str, max_files: usize) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self {
            path: path.into(),
            unfinished: path.join(format!("{writer}.new")),
            max_files,
        })
    }

    /// Reads an entry. A file that is not what its name says is removed.
    pub(super) fn read(&self, key: Key) -> Option<Tensors> {
        let path = self.file(key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(path = %path.display(), %error, "can't read an embedding");
                }
                return None;
            }
        };
        match unsealed(key, &bytes) {
            Ok(entry) => {
                self.mark_used(key);
                Some(entry)
            }
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason, "removing a damaged embedding");
                remove(&path);
                None
            }
        }
    }

    /// Writes an entry, and removes those that were not used for the longest time if there are too many.
    pub(super) fn write(&self, key: Key, entry: &Tensors) -> io::Result<()> {
        let (bytes, _) = sealed::seal(&key.to_string(), entry).map_err(io::Error::other)?;
        let mut file = File::create(&self.unfinished)?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        let placed = written.and_then(|()| fs::rename(&self.unfinished, self.file(key)));
        if placed.is_err() {
            remove(&self.unfinished); // a full disk is not kept full
        }
        placed?;
        self.prune()
    }

    /// Makes an entry the one that was used last.
    pub(super) fn mark_used(&self, key: Key) {
        // A file that is gone, or may not be written to, only grows old too early.
        let _ = File::options()
            .write(true)
            .open(self.file(key))
            .and_then(|file| file.set_modified(SystemTime::now()));
    }

    fn prune(&self) -> io::Result<()> {
        let mut files = vec![];
        for file in fs::read_dir(&self.path)? {
            let path = file?.path();
            // What another worker has just removed has no time.
            if path
                .extension()
                .is_some_and(|ending| ending == "safetensors")
                && let Ok(used) = path.metadata().and_then(|metadata| metadata.modified())
            {
                files.push((used, path));
            }
        }
        files.sort();
        let too_many = files.len().saturating_sub(self.max_files);
        files[..too_many].iter().for_each(|(_, path)| remove(path));
        Ok(())
    }

    fn file(&self, key: Key) -> PathBuf {
        self.path.join(format!("{key}.safetensors"))
    }
}

/// The entry in `bytes`, or what is wrong with them.
fn unsealed(key: Key, bytes: &[u8]) -> Result<Tensors, String> {
    let found = sealed::unseal(bytes)?;
    if found.what != key.to_string() {
        return Err("it is a different entry".into());
    }
    Ok(found.tensors)
}

/// Removes a file, which another worker may have done already.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "can't remove");
    }
}
