//! A folder tried with what jobs will do there: names, reservations, writing, renaming.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use framepack_jobs::JobId;

use crate::{
    disk::{Owner, Reservation},
    file::{FileSystem, sync_dir},
};

/// A name with what people write, and one with what some file systems refuse.
const WRITTEN: &str = "Katze-ä猫.mp4";
const REFUSED: &str = "a: b?.mp4";
const CONTENT: &[u8] = b"tried by framepackd";

/// What was found of a folder that can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What works otherwise than on an ordinary disk, and does no harm.
    pub(super) remarks: Vec<&'static str>,
    pub(super) system: Option<FileSystem>,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {error}")]
pub(super) struct Failed {
    doing: &'static str,
    error: io::Error,
}

/// Tries what a job does in the folder of its video.
pub(super) fn outputs(folder: &Path) -> Result<Found, Failed> {
    let trial = Trial::begin(folder)?;
    let mut remarks = Vec::new();
    let (upper, lower) = (trial.path("Cat.mp4"), trial.path("cat.mp4"));
    let owner = Owner::new("doctor");
    let reserve = |path, job| {
        let reserved = owner.reserve(path, JobId(job));
        reserved.map_err(failed("reserving a name"))
    };
    reserve(&upper, 1)?;
    let is_taken = reserve(&upper, 2)? == Reservation::Taken;
    if !is_taken {
        let error = io::Error::other("the same name was reserved twice");
        return Err(failed("reserving a name")(error));
    }
    if !marks_a_link(trial.folder()) {
        remarks.push("no symbolic links");
    }
    if reserve(&lower, 2)? == Reservation::Taken {
        remarks.push("upper and lower case are the same");
    }
    replace(&trial.path(".Cat.mp4.part"), &upper)?;
    match File::create_new(trial.path(WRITTEN)) {
        Ok(_) => {}
        Err(_) => remarks.push("names in other scripts are replaced"),
    }
    if File::create_new(trial.path(REFUSED)).is_err() {
        remarks.push("`: * ? \" < > |` in names are replaced");
    }
    let system = FileSystem::of(folder).ok().flatten();
    trial.end()?;
    Ok(Found { remarks, system })
}

/// Tries what the daemon does in the jobs folder: files are claimed by renaming them.
pub(super) fn jobs(folder: &Path) -> Result<Found, Failed> {
    moved(folder, "renaming a file, as claiming does")
}

/// Tries what the daemon does with its state: a lock that only one holds, and files that replace each other.
pub(super) fn state(folder: &Path) -> Result<Found, Failed> {
    let trial = Trial::begin(folder)?;
    let path = trial.path("lock");
    let lock = || File::create(&path);
    let locked = failed("locking a file");
    let first = lock().map_err(&locked)?;
    first.try_lock().map_err(io::Error::from).map_err(&locked)?;
    if lock().map_err(&locked)?.try_lock().is_ok() {
        return Err(locked(io::Error::other("two could lock the same file")));
    }
    drop(first);
    trial.end()?;
    moved(folder, "replacing a file")
}

fn moved(folder: &Path, doing: &'static str) -> Result<Found, Failed> {
    let trial = Trial::begin(folder)?;
    let (from, to) = (trial.path("a.yaml"), trial.path("claimed"));
    fs::create_dir(&to).map_err(failed("creating a folder"))?;
    let to = to.join("a.yaml");
    replace(&from, &to).map_err(|Failed { error, .. }| Failed { doing, error })?;
    trial.end()?;
    Ok(Found {
        remarks: Vec::new(),
        system: FileSystem::of(folder).ok().flatten(),
    })
}

/// Writes a file and gives it its name, as safely as a video.
fn replace(part: &Path, path: &Path) -> Result<(), Failed> {
    let mut file = File::create(part).map_err(failed("creating a file"))?;
    let written = file.write_all(CONTENT).and_then(|()| file.sync_all());
    written.map_err(failed("writing a file"))?;
    drop(file);
    fs::rename(part, path).map_err(failed("renaming a file"))?;
    sync_dir(path.parent().unwrap_or(path)).map_err(failed("syncing the folder"))?;
    match fs::read(path) {
        Ok(read) if read == CONTENT => Ok(()),
        Ok(_) => Err(failed("reading back")(io::Error::other(
            "it is not what was written",
        ))),
        Err(error) => Err(failed("reading back")(error)),
    }
}

fn marks_a_link(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().is_symlink())
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> Failed {
    move |error| Failed { doing, error }
}

/// A folder of this trial's own, with nothing left of it afterwards.
struct Trial(PathBuf);

impl Trial {
    fn begin(folder: &Path) -> Result<Self, Failed> {
        let path = folder.join(format!(".framepackd-doctor-{}", std::process::id()));
        // What a doctor left that was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(failed("creating a folder"))?;
        Ok(Self(path))
    }

    fn folder(&self) -> &Path {
        &self.0
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn end(self) -> Result<(), Failed> {
        fs::remove_dir_all(&self.0).map_err(failed("removing what was tried"))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // It ended before; or something failed, which is told, and this with it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_folder_needs_no_remark_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        for trial in [outputs, jobs, state] {
            assert_eq!(trial(folder.path()).unwrap().remarks, Vec::<&str>::new());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("missing");
        for trial in [outputs, jobs, state] {
            let told = trial(&missing).unwrap_err().to_string();
            assert!(told.contains("creating a folder: "), "{told}");
        }
    }
}
