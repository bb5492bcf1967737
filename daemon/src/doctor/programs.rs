//! The programs that rendering takes: the worker, and ffmpeg, which verifies videos.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path};

use framepack_ipc::check::{Check, CheckState};

pub(super) fn worker(key: &str, program: &Path) -> Check {
    let may_run = fs::metadata(program)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    if may_run {
        Check::ok(key, program.display())
    } else {
        Check::failed(
            key,
            format!("{} is not executable", program.display()),
            "install framepack-worker beside framepackd, or set worker.program",
        )
    }
}

pub(super) fn ffmpeg(path: &std::ffi::OsStr) -> Check {
    let found = env::split_paths(path)
        .map(|folder| folder.join("ffmpeg"))
        .find(|file| file.is_file());
    match found {
        Some(file) => Check::ok("ffmpeg", file.display()),
        None => Check::new(
            CheckState::Warning,
            "ffmpeg",
            "not in the daemon's PATH: videos are checked less thoroughly",
            "install the ffmpeg package",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_can_be_executed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let check = worker("worker.program", &file);
        assert_eq!(check.state, CheckState::Failed, "{check:?}");
        assert!(!check.fix.is_empty(), "{check:?}");
    }

    #[test]
    fn ffmpeg_is_looked_for_in_path() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ffmpeg(folder.path().as_os_str()).state, CheckState::Warning);
        fs::write(folder.path().join("ffmpeg"), "").unwrap();
        assert_eq!(ffmpeg(folder.path().as_os_str()).state, CheckState::Ok);
    }
}
