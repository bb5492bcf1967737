//! A wall clock that is set while the daemon runs.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::preload::compile;

/// The clock of one daemon.
#[derive(Debug)]
pub(crate) struct Clock {
    offset: File,
    path: PathBuf,
}

impl Clock {
    /// A clock that is right; its setting is kept in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("clock-offset");
        let offset = File::create(&path).unwrap();
        let clock = Self { offset, path };
        clock.set(0);
        clock
    }

    /// Sets it so many seconds ahead.
    pub(crate) fn set(&self, ahead_secs: i64) {
        self.offset
            .write_all_at(&ahead_secs.to_ne_bytes(), 0)
            .unwrap();
    }

    /// Variables of processes that go by it, as do their children.
    pub(crate) fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", library()), ("CLOCK_OFFSET_FILE", &self.path)]
    }
}

/// The library that processes load, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| compile("faults", "clock"))
}
