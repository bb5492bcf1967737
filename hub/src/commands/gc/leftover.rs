//! Files that nothing needs. Each is removed while its lock is held, and only if it is still needed by nothing then: a
//! fetch publishes what it has fetched while it holds the same lock.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use serde::{Serialize, Serializer};

use crate::{
    catalog::Repository,
    failure::Failure,
    hash::HubHash,
    target::{Lock, Target, is_locked},
};

/// Something that nothing needs.
#[derive(Debug, Serialize)]
pub(super) struct Leftover {
    #[serde(serialize_with = "shown")]
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) kind: Kind,
    /// Who would be at it.
    #[serde(skip)]
    lock: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A file that was not fetched to its end.
    Part,
    /// A file that no snapshot refers to.
    Unreferenced,
}

/// A path need not be text, as JSON's strings are.
fn shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// All of a repository.
pub(super) fn leftovers(target: &Target, repository: &Repository) -> Vec<Leftover> {
    let name = repository.name;
    let found = match target {
        Target::HubCache(_) => in_cache(&target.repository(name)),
        Target::Folder(_) => in_downloads(&target.downloads(name)),
    };
    let leftover = |(path, kind): (PathBuf, Kind)| {
        Some(Leftover {
            // What is not named by our rules may be another program's, whose lock we don't know.
            lock: target.lock_of(repository, &path)?,
            bytes: fs::symlink_metadata(&path).map_or(0, |file| file.len()),
            path,
            kind,
        })
    };
    found.into_iter().filter_map(leftover).collect()
}

impl Leftover {
    /// Whether nobody is at it.
    pub(super) fn is_free(&self) -> bool {
        !is_locked(&self.lock)
    }

    /// Removes it; `false`: somebody is at it, or needs it by now.
    pub(super) fn remove(&self, target: &Target, repository: &Repository) -> Result<bool, Failure> {
        let lock = Lock::try_take(&self.lock);
        let Some(lock) = lock.map_err(|error| Failure::folder(&self.lock, &error))? else {
            return Ok(false);
        };
        if !lock.is_real {
            return Err(without_locks(&self.path));
        }
        let is_needed = self.kind == Kind::Unreferenced
            && !is_unreferenced(&target.repository(repository.name), &self.path);
        if is_needed {
            return Ok(false);
        }
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            // A fetch has finished it, or somebody else has cleaned up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::folder(&self.path, &error)),
        }
    }
}

/// Whether a fetch is at a file can't be seen there.
fn without_locks(path: &Path) -> Failure {
    let message = format!(
        "{} is on a file system without locks, so whether a fetch is at it can't be seen",
        path.display()
    );
    let hint = "when no fetch runs, remove the files that `framepackctl models gc --dry-run` lists";
    ErrorBody::new(Code::MODEL_FOLDER, message)
        .hint(hint)
        .into()
}

fn in_cache(repository: &Path) -> Vec<(PathBuf, Kind)> {
    let referred = referred(&repository.join("snapshots"));
    let blobs = files_below(&repository.join("blobs")).into_iter();
    let leftovers = blobs.filter_map(|path| {
        let name = path.file_name()?;
        if is_partial(&path) {
            return Some((path, Kind::Part));
        }
        let referred = referred.as_ref()?;
        let is_blob = HubHash::parse(name.to_str()?).is_some();
        let is_leftover = is_blob && !referred.contains(name);
        is_leftover.then_some((path, Kind::Unreferenced))
    });
    leftovers.collect()
}

/// Whether no snapshot refers to a blob now.
fn is_unreferenced(repository: &Path, blob: &Path) -> bool {
    let referred = referred(&repository.join("snapshots"));
    let name = blob.file_name();
    referred.is_some_and(|referred| name.is_some_and(|name| !referred.contains(name)))
}

/// The blobs that snapshots refer to. `None` if not all of them can be seen: then any blob may be in use.
fn referred(snapshots: &Path) -> Option<BTreeSet<OsString>> {
    let mut referred = BTreeSet::new();
    let mut folders = vec![snapshots.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()? {
            let path = entry.ok()?.path();
            match fs::read_link(&path) {
                Ok(_) if path.is_dir() => return None,
                Ok(blob) => referred.extend(blob.file_name().map(OsString::from)),
                Err(_) if path.is_dir() => folders.push(path),
                Err(_) => {}
            }
        }
    }
    Some(referred)
}

fn in_downloads(downloads: &Path) -> Vec<(PathBuf, Kind)> {
    let files = files_below(downloads).into_iter();
    let parts = files.filter(|path| is_partial(path));
    parts.map(|path| (path, Kind::Part)).collect()
}

fn is_partial(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| suffix == "incomplete")
}

/// All files and links below a folder; folders behind links are not entered.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => files.push(entry.path()),
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::catalog::Selection;

    const BLOBS: [&str; 2] = [
        "1111111111111111111111111111111111111111",
        "2222222222222222222222222222222222222222",
    ];

    /// A repository with a blob in use, one that is not, and somebody's notes.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("snapshots/abc/vae")).unwrap();
        fs::create_dir(path("blobs")).unwrap();
        for blob in BLOBS.into_iter().chain(["notes.txt"]) {
            fs::write(path("blobs").join(blob), "bytes").unwrap();
        }
        let target = Path::new("../../../blobs").join(BLOBS[0]);
        symlink(target, path("snapshots/abc/vae/config.json")).unwrap();
        folder
    }

    fn found(folder: &Path) -> Vec<String> {
        let leftovers = in_cache(folder).into_iter();
        let names = leftovers.map(|it| it.0.file_name().unwrap().to_string_lossy().into_owned());
        names.collect()
    }

    #[test]
    fn only_blobs_that_nothing_refers_to_are_leftovers() {
        assert_eq!(found(repository().path()), [BLOBS[1]]);
    }

    #[test]
    fn what_a_fetch_has_or_has_just_published_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::HubCache(folder.path().to_owned());
        let repository = Selection::F1.repositories().remove(0);
        let path = |name: &str| target.repository(repository.name).join(name);
        fs::create_dir_all(path("snapshots/abc")).unwrap();
        fs::create_dir(path("blobs")).unwrap();
        let blob = path("blobs").join(BLOBS[0]);
        fs::write(&blob, "bytes").unwrap();
        let found = || leftovers(&target, &repository).pop().unwrap();
        // A fetch has moved it to its place, and makes the link next.
        let seen = found();
        let lock = Lock::take(&seen.lock).unwrap();
        assert!(!seen.is_free() && !seen.remove(&target, &repository).unwrap());
        let link = path("snapshots/abc/config.json");
        symlink(Path::new("../../blobs").join(BLOBS[0]), &link).unwrap();
        drop(lock);
        assert!(!seen.remove(&target, &repository).unwrap() && blob.exists());
        fs::remove_file(link).unwrap();
        assert!(found().remove(&target, &repository).unwrap() && !blob.exists());
        assert!(!seen.remove(&target, &repository).unwrap());
    }

    #[test]
    fn nothing_is_a_leftover_where_snapshots_cannot_be_seen() {
        let folder = repository();
        let snapshots = folder.path().join("snapshots");
        fs::rename(snapshots.join("abc"), folder.path().join("elsewhere")).unwrap();
        symlink("../elsewhere", snapshots.join("abc")).unwrap();
        assert!(found(folder.path()).is_empty());
        fs::remove_file(snapshots.join("abc")).unwrap();
        fs::remove_dir(snapshots).unwrap();
        assert!(found(folder.path()).is_empty());
    }
}
