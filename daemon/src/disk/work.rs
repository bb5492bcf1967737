//! Work folders: what a run leaves for the next one, and what one that was killed leaves beside the video.

use std::{ffi::OsString, fs, io, path::Path};

use tracing::warn;

/// Names of what a worker leaves in the work folder for another run begin with this.
const CHECKPOINTS: &str = "checkpoint";

/// Removes what only another run of the job would need.
pub(super) fn clear_checkpoints(work: &Path) {
    // Not there: the job has never begun.
    let Ok(entries) = fs::read_dir(work) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(CHECKPOINTS) {
            continue;
        }
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        if let Err(error) = removed {
            warn!(path = %path.display(), %error, "removing a checkpoint");
        }
    }
}

/// Removes what a worker that was killed left beside the video: the worker writes to `.NAME.part` first.
pub(super) fn clear_leftovers(output: &Path) {
    let mut part = OsString::from(".");
    part.push(output.file_name().unwrap_or_default());
    part.push(".part");
    let part = output.with_file_name(part);
    if let Err(error) = fs::remove_file(&part)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(path = %part.display(), %error, "removing an unfinished video");
    }
}
