//! Folders, the space in them, and the socket.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use framepack_ipc::check::{Check, CheckState};

use super::trial::{self, Failed, Found};
use crate::file::{FileSystem, free_bytes};

/// Less than this for videos is too little for a night.
const OUTPUTS_BYTES: u64 = 1 << 30;
/// The store is not opened with less.
const STATE_BYTES: u64 = 64 << 20;

pub(super) fn space_for_videos(name: &str, folder: &Path) -> Check {
    space(name, folder, OUTPUTS_BYTES)
}

pub(super) fn space_for_state(name: &str, folder: &Path) -> Check {
    space(name, folder, STATE_BYTES)
}

/// The folder of videos, tried as jobs use it.
pub(super) fn outputs(key: &str, folder: &Path) -> Check {
    tried(key, folder, trial::outputs, |system| match system {
        FileSystem::Fat => Some((
            "FAT: a video of more than 4 GiB can't be written",
            "use a disk with exFAT, NTFS or a file system of Linux for long or lossless videos",
        )),
        FileSystem::Foreign | FileSystem::Share | FileSystem::Fuse => None,
    })
}

/// The jobs folder.
pub(super) fn jobs(key: &str, folder: &Path) -> Check {
    tried(key, folder, trial::jobs, |_| None)
}

/// The state directory.
pub(super) fn state(key: &str, folder: &Path) -> Check {
    tried(key, folder, trial::state, |_| {
        Some((
            "a power failure, or a server that restarts, may damage the list of jobs there",
            "set `paths.state` to a folder on a local disk with a file system of Linux",
        ))
    })
}

/// `warning`: what a kind of file system is not good for, and what to do.
fn tried(
    key: &str,
    folder: &Path,
    trial: fn(&Path) -> Result<Found, Failed>,
    warning: fn(FileSystem) -> Option<(&'static str, &'static str)>,
) -> Check {
    let place = folder.display();
    let Found { remarks, system } = match trial(folder) {
        Ok(found) => found,
        Err(failed) => {
            return Check::failed(
                key,
                format!("{place} can't be used: {failed}"),
                "make it writable for the daemon's user; under systemd, add it to ReadWritePaths= in a drop-in; if that is \
                 so already, the file system lacks what the daemon needs: choose another one",
            );
        }
    };
    let mut notes: Vec<&str> = system.map(FileSystem::name).into_iter().collect();
    notes.extend(remarks);
    let found = match notes.as_slice() {
        [] => place.to_string(),
        notes => format!("{place} ({})", notes.join("; ")),
    };
    match system.and_then(warning) {
        None => Check::ok(key, found),
        Some((why, fix)) => Check::new(CheckState::Warning, key, format!("{found}: {why}"), fix),
    }
}

pub(super) fn readable(key: &str, folder: &Path) -> Check {
    match fs::read_dir(folder) {
        Ok(_) => Check::ok(key, folder.display()),
        Err(error) => Check::failed(
            key,
            format!("{} can't be read: {error}", folder.display()),
            "make it readable by the daemon's user",
        ),
    }
}

fn space(name: &str, folder: &Path, needed_bytes: u64) -> Check {
    match free_bytes(folder) {
        Ok(bytes) if bytes < needed_bytes => Check::failed(
            name,
            format!(
                "{} MiB free at {}, less than {} MiB",
                bytes >> 20,
                folder.display(),
                needed_bytes >> 20
            ),
            "free some space, or move the folder to a larger disk",
        ),
        Ok(bytes) => Check::ok(name, format!("{} MiB free", bytes >> 20)),
        Err(error) => Check::new(
            CheckState::Warning,
            name,
            format!("{}: {error}", folder.display()),
            "check that the folder exists",
        ),
    }
}

pub(super) fn socket(path: &Path) -> Check {
    match fs::metadata(path).map(|data| data.permissions().mode() & 0o007) {
        Ok(0) => Check::ok("socket", path.display()),
        Ok(_) => Check::failed(
            "socket",
            format!("{} can be opened by every user", path.display()),
            "restart the daemon: it sets the mode to 0660",
        ),
        Err(error) => Check::failed(
            "socket",
            format!("{}: {error}", path.display()),
            "restart the daemon: clients can't find its socket",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let faults = [
            jobs("paths.jobs", &missing),
            outputs("paths.outputs", &missing),
            state("paths.state", &missing),
            readable("paths.inputs", &missing),
            space("space", folder.path(), u64::MAX),
            socket(&missing),
        ];
        for fault in faults {
            assert_eq!(fault.state, CheckState::Failed, "{fault:?}");
            assert!(!fault.fix.is_empty(), "{fault:?}");
        }
    }

    #[test]
    fn what_is_in_order_is_said_too() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(jobs("paths.jobs", folder.path()).state, CheckState::Ok);
        assert_eq!(space("space", folder.path(), 1).state, CheckState::Ok);
    }
}
