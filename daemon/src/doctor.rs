//! Checks of what rendering needs from the machine: folders, space, programs, limits.

use std::{
    env,
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use framepack_config::Config;
use framepack_ipc::check::{Check, CheckState};
use nix::sys::resource::{Resource, getrlimit};

use crate::{disk::Disk, file::free_bytes};

/// Less than this for videos is too little for a night.
const OUTPUTS_BYTES: u64 = 1 << 30;
/// The store is not opened with less.
const STATE_BYTES: u64 = 64 << 20;
/// Where the NVIDIA driver says that it is loaded.
const NVIDIA_DRIVER: &str = "/proc/driver/nvidia/version";

/// What to check: the daemon's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Doctor {
    pub(crate) config: Config,
    pub(crate) worker: PathBuf,
}

impl Doctor {
    /// Tries everything, each where it lies and within the time limit of that share.
    pub(crate) async fn check(&self, disk: &Disk) -> Vec<Check> {
        let paths = &self.config.paths;
        let jobs: Try = if self.config.spool.readonly {
            readable
        } else {
            writable
        };
        let mut tries: Vec<(&'static str, &Path, Try)> = vec![
            ("paths.jobs", &paths.jobs, jobs),
            ("paths.state", &paths.state, writable),
            ("paths.outputs", &paths.outputs, writable),
        ];
        let inputs = paths.inputs.iter();
        tries.extend(inputs.map(|path| ("paths.inputs", path.as_path(), readable as Try)));
        tries.extend([
            (
                "space for videos",
                paths.outputs.as_path(),
                space_for_videos as Try,
            ),
            ("space for the state", &paths.state, space_for_state),
            ("models.bundle", &self.config.models.bundle, bundle),
            ("worker.program", &self.worker, worker),
        ]);
        // At once: several may hang.
        let tries = tries.into_iter().map(|(key, path, check)| {
            let (disk, path) = (disk.clone(), path.to_owned());
            let tried = path.clone();
            tokio::spawn(async move {
                let checked = disk.at(&path, move || check(key, &tried)).await;
                checked.unwrap_or_else(|silent| {
                    let fix = "check the server and network of that mount";
                    Check::failed(key, silent.to_string(), fix)
                })
            })
        });
        let tries: Vec<_> = tries.collect();
        let mut checks = Vec::new();
        for tried in tries {
            checks.push(
                tried
                    .await
                    .expect("a check does not panic, and nobody aborts it"),
            );
        }
        checks.push(ffmpeg(env::var_os("PATH").unwrap_or_default().as_os_str()));
        checks.extend(nvidia());
        checks.push(socket(&paths.socket));
        checks
    }
}

/// A check of a path, under its name.
type Try = fn(&str, &Path) -> Check;

fn space_for_videos(name: &str, folder: &Path) -> Check {
    space(name, folder, OUTPUTS_BYTES)
}

fn space_for_state(name: &str, folder: &Path) -> Check {
    space(name, folder, STATE_BYTES)
}

fn writable(key: &str, folder: &Path) -> Check {
    let probe = folder.join(format!(".framepackd-doctor-{}", std::process::id()));
    let tried = File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
    match tried {
        Ok(()) => Check::ok(key, folder.display()),
        Err(error) => Check::failed(
            key,
            format!("{} can't be written: {error}", folder.display()),
            "make it writable for the daemon's user; under systemd, add it to ReadWritePaths= in a drop-in",
        ),
    }
}

fn readable(key: &str, folder: &Path) -> Check {
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

fn bundle(key: &str, folder: &Path) -> Check {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().count());
    match entries {
        Ok(1..) => Check::ok(key, folder.display()),
        Ok(0) => Check::failed(
            key,
            format!("{} is empty", folder.display()),
            "put the models there in the Hub's layout; see \"The real models\" in README.md",
        ),
        Err(error) => Check::failed(
            key,
            format!("{}: {error}", folder.display()),
            "point models.bundle at a folder with the models, readable by the daemon's user",
        ),
    }
}

fn worker(key: &str, program: &Path) -> Check {
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

fn ffmpeg(path: &std::ffi::OsStr) -> Check {
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

fn nvidia() -> Vec<Check> {
    let Ok(version) = fs::read_to_string(NVIDIA_DRIVER) else {
        return vec![Check::ok(
            "nvidia",
            "no driver is loaded: jobs are rendered on the CPU",
        )];
    };
    let mut checks = vec![Check::ok(
        "nvidia",
        version.lines().next().unwrap_or_default(),
    )];
    let locked = getrlimit(Resource::RLIMIT_MEMLOCK).map_or(0, |(soft, _)| soft);
    if locked < 1 << 30 {
        checks.push(Check::new(
            CheckState::Warning,
            "locked memory",
            format!(
                "at most {} KiB may be page-locked: streaming weights will be slow",
                locked >> 10
            ),
            "set LimitMEMLOCK=infinity in the unit, or raise ulimit -l",
        ));
    }
    checks
}

fn socket(path: &Path) -> Check {
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
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let faults = [
            writable("paths.jobs", &missing),
            readable("paths.inputs", &missing),
            space("space", folder.path(), u64::MAX),
            bundle("models.bundle", &missing),
            bundle(
                "models.bundle",
                folder
                    .path()
                    .parent()
                    .map(|_| folder.path().join("empty"))
                    .as_deref()
                    .unwrap(),
            ),
            worker("worker.program", &file),
            socket(&missing),
        ];
        for fault in faults {
            assert_eq!(fault.state, CheckState::Failed, "{fault:?}");
            assert!(!fault.fix.is_empty(), "{fault:?}");
        }
        assert_eq!(ffmpeg(missing.as_os_str()).state, CheckState::Warning);
    }

    #[test]
    fn what_is_in_order_is_said_too() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(writable("paths.jobs", folder.path()).state, CheckState::Ok);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing is left behind"
        );
        fs::write(folder.path().join("ffmpeg"), "").unwrap();
        assert_eq!(ffmpeg(folder.path().as_os_str()).state, CheckState::Ok);
        assert_eq!(bundle("models.bundle", folder.path()).state, CheckState::Ok);
        assert_eq!(space("space", folder.path(), 1).state, CheckState::Ok);
    }
}
