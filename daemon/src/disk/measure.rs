//! How much disk space files take: a walk that beats as it gets on, and ends when its time is over.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::pulse::Pulse;

/// Bytes of a block as `stat` counts them.
const BLOCK_BYTES: u64 = 512;

/// To which part of a folder a file belongs, by its path below that folder.
pub(crate) type PartOf = fn(&Path) -> &'static str;

/// What was found of each part.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) parts: BTreeMap<&'static str, Sum>,
    /// Whether there was time for everything.
    pub(crate) is_whole: bool,
}

/// Files and the space that they take.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// All parts together.
    pub(crate) fn sum(&self) -> Sum {
        self.parts.values().fold(Sum::default(), |sum, part| Sum {
            files: sum.files + part.files,
            bytes: sum.bytes + part.bytes,
        })
    }
}

/// Space that a file takes, as `du` counts it.
pub(crate) fn allocated_bytes(metadata: &Metadata) -> u64 {
    metadata.blocks() * BLOCK_BYTES
}

/// Adds up what is in `folder`, or the file that it is. Links are not followed, and a file of several names counts once.
pub(super) fn measure(folder: &Path, part_of: PartOf, limit: Duration, pulse: &Pulse) -> Tally {
    let begun = Instant::now();
    let mut tally = Tally {
        is_whole: true,
        ..Tally::default()
    };
    let mut seen = HashSet::new();
    let mut left: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        pulse.beat();
        if begun.elapsed() > limit {
            tally.is_whole = false;
            break;
        }
        // What goes while it is looked at does not count.
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| entry.path()));
            continue;
        }
        if metadata.nlink() > 1 && !seen.insert((metadata.dev(), metadata.ino())) {
            continue;
        }
        let below = path.strip_prefix(folder).unwrap_or(&path);
        let part = tally.parts.entry(part_of(below)).or_default();
        part.files += 1;
        part.bytes += allocated_bytes(&metadata);
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part_of(below: &Path) -> &'static str {
        if below.starts_with("a") { "a" } else { "rest" }
    }

    #[test]
    fn parts_are_added_up_and_a_file_of_two_names_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/one"), [1; 5000]).unwrap();
        fs::write(dir.path().join("two"), [1; 5000]).unwrap();
        fs::hard_link(dir.path().join("two"), dir.path().join("three")).unwrap();
        let limit = Duration::from_mins(1);
        let tally = measure(dir.path(), part_of, limit, &Pulse::default());
        assert!(tally.is_whole);
        assert_eq!(tally.parts["a"].files, 1);
        assert_eq!(tally.parts["rest"].files, 1);
        assert!(tally.sum().bytes >= 10_000, "{tally:?}");
        assert_eq!(
            measure(&dir.path().join("none"), part_of, limit, &Pulse::default()).sum(),
            Sum::default()
        );
    }

    #[test]
    fn a_walk_ends_when_its_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("one"), "1").unwrap();
        let tally = measure(dir.path(), part_of, Duration::ZERO, &Pulse::default());
        assert!(!tally.is_whole && tally.parts.is_empty());
    }
}
