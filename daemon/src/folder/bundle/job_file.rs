//! Which file of a bundle is its job file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::error::BundleError;
use crate::folder::dropped::{self, Form};

/// The one job file at the top of a folder, or of the one folder in it, which is how many programs pack.
pub(super) fn job_file(root: &Path) -> Result<PathBuf, BundleError> {
    let damaged = |error: io::Error| BundleError::Damaged {
        reason: error.to_string(),
    };
    let (mut jobs, mut folders) = (Vec::new(), Vec::new());
    let mut folder = root.to_owned();
    for _ in 0..2 {
        for entry in fs::read_dir(&folder).map_err(damaged)? {
            let entry = entry.map_err(damaged)?;
            let (path, name) = (entry.path(), entry.file_name());
            match dropped::form(&name) {
                _ if path.is_dir() => {
                    let is_hidden = name.as_encoded_bytes().starts_with(b".");
                    if !is_hidden && !dropped::is_leftover(&name) {
                        folders.push(path);
                    }
                }
                Some(Form::Text) if dropped::is_job_file(&name) => jobs.push(path),
                _ => {}
            }
        }
        match (&jobs[..], &folders[..]) {
            ([], [only]) => folder.clone_from(only),
            _ => break,
        }
        folders.clear();
    }
    let name = |job: &PathBuf| {
        let name = job.strip_prefix(root).unwrap_or(job);
        name.display().to_string()
    };
    <[PathBuf; 1]>::try_from(jobs)
        .map(|[job]| job)
        .map_err(|jobs| {
            let mut found: Vec<String> = jobs.iter().map(name).collect();
            found.sort();
            BundleError::NotOneJob { found }
        })
}
