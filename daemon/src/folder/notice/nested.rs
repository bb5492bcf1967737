//! Folders in the jobs folder, in which somebody may think that jobs are read.

use std::{ffi::OsStr, fs, path::Path, time::SystemTime};

use crate::folder::dropped::{is_job_file, is_leftover};

/// Folders of the daemon's own in the jobs folder.
const OWN_FOLDERS: [&str; 6] = [
    "claimed",
    "done",
    "failed",
    "rejected",
    "duplicate",
    "archive",
];

/// A folder in the jobs folder.
#[derive(Debug)]
pub(crate) struct Nested {
    modified: SystemTime,
    pub(crate) job_files: usize,
}

impl Nested {
    /// Counts the job files in a folder, unless nothing has changed in it since it was counted.
    pub(super) fn of(path: &Path, known: Option<&Self>) -> Option<Self> {
        let name = path.file_name()?;
        let is_own = OWN_FOLDERS.iter().any(|own| name == OsStr::new(own));
        if is_own || name.as_encoded_bytes().starts_with(b".") || is_leftover(name) {
            return None;
        }
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        let modified = modified.ok()?;
        let job_files = match known {
            Some(known) if known.modified == modified => known.job_files,
            _ => count_job_files(path),
        };
        Some(Self {
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
    names.filter(|name| is_job_file(name)).count()
}
