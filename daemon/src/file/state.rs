//! The state of a file at a moment: whether somebody has changed it since, and how old it was.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime},
};

/// What tells two states of a file apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileState {
    /// Device and inode.
    pub(crate) inode: (u64, u64),
    pub(crate) size_bytes: u64,
    pub(crate) mtime: (i64, i64),
    pub(crate) ctime: (i64, i64),
}

impl From<&Metadata> for FileState {
    fn from(metadata: &Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size_bytes: metadata.len(),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            ctime: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl FileState {
    /// The state of a folder together with a file in it: sizes summed up, the latest of the times.
    pub(crate) fn with(self, metadata: &Metadata) -> Self {
        let file = Self::from(metadata);
        Self {
            inode: self.inode,
            size_bytes: self.size_bytes.saturating_add(file.size_bytes),
            mtime: self.mtime.max(file.mtime),
            ctime: self.ctime.max(file.ctime),
        }
    }

    /// Whether nobody has written to the file in between. It may have another name now, which changes `ctime`; the
    /// device is left out because a rename stays on one, and a network mount that comes back may number it anew.
    pub(crate) fn is_same_content(&self, other: &Self) -> bool {
        let written = |state: &Self| (state.inode.1, state.size_bytes, state.mtime);
        written(self) == written(other)
    }

    /// How long ago the file was last written. A time in the future (a share whose clock is ahead) counts as
    /// "just now".
    pub(crate) fn age(&self, clock: SystemTime) -> Duration {
        let (secs, nanos) = self.mtime;
        let since_second = Duration::from_nanos(u64::try_from(nanos).unwrap_or_default());
        let epoch_distance = Duration::from_secs(secs.unsigned_abs());
        let second = if secs < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(epoch_distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(epoch_distance)
        };
        second
            .and_then(|second| second.checked_add(since_second))
            .and_then(|written| clock.duration_since(written).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn state(path: &std::path::Path) -> FileState {
        (&path.metadata().unwrap()).into()
    }

    #[test]
    fn rule_12_ages_are_told_by_the_servers_clock_and_the_future_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        let file = File::create(&path).unwrap();
        let server = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let secs = Duration::from_secs_f64;
        for (written, age) in [
            (server - secs(5.0), 5.0),
            (server - secs(0.25), 0.25),
            (server, 0.0),
            (server + secs(5.0), 0.0),
            (SystemTime::UNIX_EPOCH - secs(0.25), 3600.25),
        ] {
            file.set_modified(written).unwrap();
            assert_eq!(state(&path).age(server), secs(age));
        }
    }

    #[test]
    fn a_new_name_leaves_the_content_and_writing_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let (path, renamed) = (dir.path().join("a.yaml"), dir.path().join("b.yaml"));
        fs::write(&path, "a: 1\n").unwrap();
        let before = state(&path);
        fs::rename(&path, &renamed).unwrap();
        assert!(state(&renamed).is_same_content(&before));
        fs::write(&renamed, "a: 1\nb: 2\n").unwrap();
        assert!(!state(&renamed).is_same_content(&before));
    }

    #[test]
    fn a_folder_is_as_large_as_its_files_and_as_old_as_the_latest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        fs::write(&path, "a: 1\n").unwrap();
        let later = SystemTime::now() + Duration::from_mins(1);
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(later).unwrap();
        let folder = state(dir.path());
        let both = folder.with(&path.metadata().unwrap());
        assert_eq!(both.inode, folder.inode);
        assert_eq!(both.size_bytes, folder.size_bytes + 5);
        assert_eq!(
            both.age(later + Duration::from_secs(3)),
            Duration::from_secs(3)
        );
    }
}
