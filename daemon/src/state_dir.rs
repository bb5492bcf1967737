//! The state directory: one daemon's lock, identity, store, inputs and work folders.
//!
//! ```text
//! state/
//!   lock                 held while a daemon runs
//!   worker-<device>.lock held by the worker that uses the device
//!   daemon-id            names this daemon's claims in the jobs folder; written as daemon-id.new
//!   store/               sled: the jobs
//!   journal/NNNNNN.ndjson every change of every job, from which the store is rebuilt
//!   events/NNNNNN.ndjson  what happened, for those who follow it, for `retention.events_days`
//!   notes.json           what users decided about the queue as a whole
//!   repaired.json        what was repaired and not acknowledged
//!   damaged/<time>/      copies of a damaged store or journal, the latest three
//!   inputs/<id>.<ext>    start images, copied when their job was accepted, removed when it has ended
//!   spool/               with spool.readonly: claims, reports, STATUS.txt, and `taken`, the list of files taken
//!   bundles/             archives from the jobs folder, unpacked while they are answered
//!   choices-<device>.json which attention backend the device uses; may be deleted
//!   decoding-<device>.json what decoding takes on the device; may be deleted
//!   embeddings/          what the workers' encoders made of prompts and images; may be deleted
//!   kernels/             the workers' kernels, compiled; may be deleted
//!   logs/<job>.ndjson    what happened to a job, one event a line, for `keep.logs_days`; may be deleted
//!   previews/            the last pictures of jobs that have ended; may be deleted
//!   work/<job>/          previews and contact sheet of a job, for `keep.work_days`: its record names them
//! ```

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use framepack_config::Config;
use framepack_ipc::preview::PreviewKind;
use framepack_jobs::JobId;
use tracing::warn;

use crate::{
    events::EventLimits,
    file::{FileSystem, patiently, replace},
    folders::unusable,
    log,
    record::random_id,
    start_error::StartError,
    store::Location,
};

/// An open state directory; its lock is held until it is dropped.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    daemon_id: String,
    is_used: bool,
    _lock: File,
}

impl StateDir {
    /// Creates what is missing and locks the directory; fails when another daemon has it.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        for dir in [path.to_owned(), path.join("inputs"), path.join("work")] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o750)
                .create(&dir)
                .map_err(|error| unusable("creating", &dir, error))?;
        }
        let lock = lock(&path.join("lock"))?;
        let is_used = path.join("daemon-id").exists();
        if let Ok(Some(system)) = FileSystem::of(path) {
            warn!(
                path = %path.display(),
                "paths.state is on {}: a power failure or a server that restarts may damage the list of jobs; a local \
                 disk with a file system of Linux is safer",
                system.name()
            );
        }
        let daemon_id = daemon_id(path)?;
        Ok(Self {
            path: path.to_owned(),
            daemon_id,
            is_used,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn daemon_id(&self) -> &str {
        &self.daemon_id
    }

    /// Where the store lies, with the room and the time that the configuration gives it.
    pub(crate) fn store(&self, config: &Config) -> Location {
        let retention = &config.retention;
        let days = retention.events_days.number();
        Location {
            state: self.path.clone(),
            floor_bytes: config.disk.floor_mib << 20,
            is_used: self.is_used,
            event_limits: EventLimits {
                max_bytes: retention.events_mib << 20,
                max_age: days.map(|days| Duration::from_hours(24 * u64::from(days))),
            },
        }
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout {
            state: self.path.clone(),
        }
    }
}

/// Where things lie in the state directory, for those who need no lock.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    state: PathBuf,
}

impl Layout {
    /// The directory itself.
    pub(crate) fn state(&self) -> PathBuf {
        self.state.clone()
    }

    /// Kernels that workers have compiled.
    pub(crate) fn kernels(&self) -> PathBuf {
        self.state.join("kernels")
    }

    /// What the workers' encoders made.
    pub(crate) fn embeddings(&self) -> PathBuf {
        self.state.join("embeddings")
    }

    /// Start images of accepted jobs.
    pub(crate) fn inputs(&self) -> PathBuf {
        self.state.join("inputs")
    }

    /// Where archives are unpacked.
    pub(crate) fn bundles(&self) -> PathBuf {
        self.state.join("bundles")
    }

    /// What the jobs folder's thread writes, where nothing is written into the folder itself.
    pub(crate) fn spool(&self) -> PathBuf {
        self.state.join("spool")
    }

    /// What happened to a job, one event a line.
    pub(crate) fn log(&self, job: JobId) -> PathBuf {
        log::job_file(&self.state, job)
    }

    /// The jobs' logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The last pictures of jobs that have ended.
    pub(crate) fn previews(&self) -> PathBuf {
        self.state.join("previews")
    }

    /// One of them.
    pub(crate) fn preview(&self, job: JobId, kind: PreviewKind) -> PathBuf {
        self.previews().join(format!("{job}.{}", kind.file_name()))
    }

    /// The jobs' work folders.
    pub(crate) fn works(&self) -> PathBuf {
        self.state.join("work")
    }

    /// What a job leaves while it runs.
    pub(crate) fn work(&self, job: JobId) -> PathBuf {
        self.works().join(job.to_string())
    }
}

fn lock(path: &Path) -> Result<File, StartError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| unusable("opening", path, error))?;
    // A daemon that was killed while it started a worker leaves its lock to that process for a moment.
    let is_held =
        |locked: &Result<(), TryLockError>| matches!(locked, Err(TryLockError::WouldBlock));
    match patiently(|| file.try_lock(), is_held) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::StateInUse {
            lock: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StartError::StateWithoutLocks {
            lock: path.to_owned(),
            error,
        }),
    }
}

/// The identity of the daemon that lives in this state directory; made on its first start.
fn daemon_id(state: &Path) -> Result<String, StartError> {
    let path = state.join("daemon-id");
    if let Ok(id) = fs::read_to_string(&path)
        && !id.trim().is_empty()
    {
        return Ok(id.trim().to_owned());
    }
    let written = random_id().and_then(|id| {
        replace(&path, format!("{id}\n").as_bytes())?;
        Ok(id)
    });
    written.map_err(|error| unusable("writing", &path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_at_a_time_and_the_same_identity_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = StateDir::open(dir.path()).unwrap();
        let refused = StateDir::open(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("another framepackd"), "{refused}");
        let id = first.daemon_id().to_owned();
        drop(first);
        assert_eq!(StateDir::open(dir.path()).unwrap().daemon_id(), id);
    }
}
