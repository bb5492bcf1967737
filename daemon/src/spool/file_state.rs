//! One look at a file: its state, and how old it is by the clock of its file system.

use std::{
    ffi::OsStr,
    fs::Metadata,
    time::{Duration, SystemTime},
};

use crate::file::Fingerprint;

/// One look at a candidate.
#[derive(Debug)]
pub(super) struct FileState<'a> {
    pub(super) name: &'a OsStr,
    pub(super) fingerprint: Fingerprint,
    /// How long ago the file was last written, by its own times.
    pub(super) age: Duration,
}

impl<'a> FileState<'a> {
    pub(super) fn new(name: &'a OsStr, metadata: &Metadata, now: SystemTime) -> Self {
        // A time in the future (a share whose clock is ahead) counts as "just now".
        let age = metadata
            .modified()
            .ok()
            .and_then(|mtime| now.duration_since(mtime).ok());
        Self {
            name,
            fingerprint: metadata.into(),
            age: age.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_12_ages_are_told_by_the_servers_clock_and_the_future_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        let file = std::fs::File::create(&path).unwrap();
        let server = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        for (written, age_secs) in [(-5, 5), (0, 0), (5, 0)] {
            let written = Duration::from_secs(3600_u64.saturating_add_signed(written));
            file.set_modified(SystemTime::UNIX_EPOCH + written).unwrap();
            let state = FileState::new(OsStr::new("a.yaml"), &path.metadata().unwrap(), server);
            assert_eq!(state.age, Duration::from_secs(age_secs));
        }
    }
}
