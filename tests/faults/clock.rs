//! A wall clock that is set while the daemon runs.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

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

    /// Has a process and its children go by it.
    pub(crate) fn apply(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("CLOCK_OFFSET_FILE", &self.path);
    }
}

/// The library that processes load, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let made = target.join(format!("clock.{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/faults/clock.c");
        let status = Command::new("cc")
            .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .args([&made, &source])
            .status()
            .expect("a C compiler, which the build needs, too");
        assert!(status.success());
        // Under its final name at once, for other test processes may load it.
        let library = target.join("clock.so");
        fs::rename(made, &library).unwrap();
        library
    })
}
