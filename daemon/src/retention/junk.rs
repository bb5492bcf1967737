//! Files in the state directory that no job may refer to: which there are, and how old.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::leftovers::Leftovers;
use crate::{disk::allocated_bytes, state_dir::Layout};

/// A copy of a start image is there before its job is; a file of a worker is unfinished while it is written.
const TOO_NEW: Duration = Duration::from_hours(1);
/// Embeddings that workers keep, as docs/OPERATIONS.md has it: each removes what is beyond when it writes one.
const MAX_EMBEDDINGS: usize = 512;

/// A file and the space that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sized {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) leftovers: Leftovers,
    /// Copies of start images that are not new.
    pub(super) inputs: Vec<Sized>,
    /// Embeddings beyond the limit.
    pub(super) embeddings: Vec<Sized>,
    /// Embeddings that were never finished.
    pub(super) unfinished: Vec<Sized>,
}

impl Files {
    /// Looks at the state directory.
    pub(super) fn look(layout: &Layout) -> Self {
        let (unfinished, embeddings) = files(&layout.embeddings())
            .into_iter()
            .partition(|(path, _)| has_ending(path, "new"));
        Self {
            leftovers: Leftovers::read(layout),
            inputs: old(files(&layout.inputs())),
            embeddings: beyond(embeddings, MAX_EMBEDDINGS),
            unfinished: old(unfinished),
        }
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Metadata)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
    files.filter(|(_, metadata)| metadata.is_file()).collect()
}

/// Those that have been what they are for a while.
fn old(files: Vec<(PathBuf, Metadata)>) -> Vec<Sized> {
    let changed = |metadata: &Metadata| {
        // Another name for a file that is there already is new, too.
        let secs = Duration::from_secs(u64::try_from(metadata.ctime()).unwrap_or(0));
        UNIX_EPOCH + secs
    };
    let now = SystemTime::now();
    let is_old = |metadata: &Metadata| {
        let age = now.duration_since(changed(metadata));
        age.is_ok_and(|age| age > TOO_NEW)
    };
    let old = files.into_iter().filter(|(_, metadata)| is_old(metadata));
    old.map(sized).collect()
}

/// All but so many, those that were used last.
fn beyond(files: Vec<(PathBuf, Metadata)>, limit: usize) -> Vec<Sized> {
    let mut files: Vec<_> = files
        .into_iter()
        .filter(|(path, _)| has_ending(path, "safetensors"))
        .collect();
    files.sort_by_key(|(path, metadata)| (metadata.modified().ok(), path.clone()));
    let too_many = files.len().saturating_sub(limit);
    files.into_iter().take(too_many).map(sized).collect()
}

fn sized((path, metadata): (PathBuf, Metadata)) -> Sized {
    let bytes = allocated_bytes(&metadata);
    Sized { path, bytes }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn the_longest_unused_embeddings_are_beyond_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        for (name, used_secs) in [("b", 30), ("a", 10), ("c", 20)] {
            let path = dir.path().join(name).with_extension("safetensors");
            let file = File::create(path).unwrap();
            let used = UNIX_EPOCH + Duration::from_secs(used_secs);
            file.set_modified(used).unwrap();
        }
        fs::write(dir.path().join("cpu.new"), "half").unwrap();
        let names = |limit| {
            let beyond = beyond(files(dir.path()), limit).into_iter();
            let names: Vec<_> = beyond
                .map(|file| file.path.file_stem().unwrap().to_owned())
                .collect();
            names
        };
        assert_eq!(names(3), Vec::<std::ffi::OsString>::new());
        assert_eq!(names(1), ["a", "c"]);
    }

    #[test]
    fn what_was_just_made_may_be_of_a_job_to_come() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("a.png")).unwrap();
        // A copy may keep the time of the image.
        file.set_modified(UNIX_EPOCH).unwrap();
        assert_eq!(old(files(dir.path())), []);
    }
}
