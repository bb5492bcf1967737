//! The jobs folder itself: which one it is, what it lies on, and whether it is still there.
//!
//! A folder that was deleted, unmounted or replaced does not end the daemon: it waits for it, and watches it again.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::Path,
    sync::mpsc,
    time::{Duration, Instant, SystemTime},
};

use framepack_config::{Spool as Config, WatchMode};

use super::{
    file_system::FileSystem,
    places::{Access, Places},
    settle::SettleRules,
    watch::{Mode, Watch},
};
use crate::folder::wake::Event;

/// The folder as it is watched now.
#[derive(Debug)]
pub(super) struct Watched {
    places: Places,
    daemon_id: String,
    config: Config,
    events: mpsc::Sender<Event>,
    identity: (u64, u64),
    file_system: FileSystem,
    watch: Watch,
}

impl Watched {
    /// Makes the folder for writers and begins to watch.
    pub(super) fn open(
        places: Places,
        daemon_id: &str,
        config: Config,
        events: mpsc::Sender<Event>,
    ) -> io::Result<Self> {
        make_incoming(&places)?;
        let file_system = FileSystem::of(&places.jobs)?;
        let mode = match (places.access(), config.mode, file_system) {
            // The test would write a file. On a local file system events do come.
            (Access::ReadOnly, WatchMode::Auto, FileSystem::Local) => WatchMode::Events,
            (_, mode, _) => mode,
        };
        Ok(Self {
            identity: identity(&places.jobs)?,
            watch: Watch::start(
                &places.jobs,
                (mode, file_system),
                &probe_name(daemon_id),
                events.clone(),
            ),
            file_system,
            daemon_id: daemon_id.to_owned(),
            places,
            config,
            events,
        })
    }

    /// Whether another folder is in the place of the one that is watched. An error: it is gone, or can't be used.
    pub(super) fn is_replaced(&self) -> io::Result<bool> {
        Ok(identity(&self.places.jobs)? != self.identity)
    }

    /// Watches what is there now.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let (places, events) = (self.places.clone(), self.events.clone());
        *self = Self::open(places, &self.daemon_id, self.config, events)?;
        Ok(())
    }

    /// Goes by other settings from now on; it is watched as before.
    pub(super) fn take_over(&mut self, config: Config) {
        self.config = config;
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// How long files settle here.
    pub(super) fn rules(&self) -> SettleRules {
        SettleRules {
            settle: self.config.settle.unwrap_or(self.file_system.settle()),
            grace: self.config.grace,
        }
    }

    /// How often it is listed when nothing is heard of it.
    pub(super) fn scan_interval(&self) -> Duration {
        self.config.scan.unwrap_or(self.watch.scan_interval())
    }

    /// An event for the test file has come.
    pub(super) fn confirm_events(&mut self) {
        self.replace_watch(Watch::confirm);
    }

    /// Gives up on events that do not come.
    pub(super) fn check_events(&mut self, now: Instant) {
        self.replace_watch(|watch| watch.check(now));
    }

    fn replace_watch(&mut self, change: impl FnOnce(Watch) -> Watch) {
        let reason = String::new();
        let watch = std::mem::replace(&mut self.watch, Watch::Listing { reason });
        self.watch = change(watch);
    }

    /// The time by the clock that the files' times come from: a share's server may be early or late.
    pub(super) fn clock(&self) -> SystemTime {
        match (self.file_system, self.places.access()) {
            (FileSystem::Local, _) => SystemTime::now(),
            // Unknown: no file counts as old, and each is watched until it has settled.
            (FileSystem::Network { .. }, Access::ReadOnly) => SystemTime::UNIX_EPOCH,
            (FileSystem::Network { .. }, Access::Writable) => {
                let probe = self.places.incoming().join(probe_name(&self.daemon_id));
                server_time(&probe).unwrap_or_else(|_| SystemTime::now())
            }
        }
    }

    pub(super) fn mode(&self) -> Mode {
        self.watch.mode()
    }

    /// How it is watched, for people.
    pub(super) fn describe(&self) -> String {
        let kind = match self.file_system {
            FileSystem::Local => "local",
            FileSystem::Network { kind } => kind,
        };
        let (watch, secs) = (self.watch.describe(), self.scan_interval().as_secs_f64());
        let access = match self.places.access() {
            Access::Writable => "",
            Access::ReadOnly => ", read-only",
        };
        format!("{kind}, {watch}, listed at least every {secs} s{access}")
    }
}

/// Where writers put what they will rename into the folder.
fn make_incoming(places: &Places) -> io::Result<()> {
    match places.access() {
        Access::ReadOnly => Ok(()),
        Access::Writable => DirBuilder::new()
            .recursive(true)
            .mode(0o770)
            .create(places.incoming()),
    }
}

fn probe_name(daemon_id: &str) -> OsString {
    format!(".framepackd.{daemon_id}").into()
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = path.metadata()?;
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok((metadata.dev(), metadata.ino()))
}

/// The file system's own time, from a new file's.
fn server_time(probe: &Path) -> io::Result<SystemTime> {
    let _ = fs::remove_file(probe);
    let time = File::create(probe)?.metadata()?.modified();
    let _ = fs::remove_file(probe);
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::wake::Hint;

    fn open(jobs: &Path) -> (Watched, mpsc::Receiver<Event>) {
        let (events, inbox) = mpsc::channel();
        let config = Config {
            mode: WatchMode::Events,
            ..Config::default()
        };
        let places = Places::new(jobs.to_owned(), None);
        let folder = Watched::open(places, "d1", config, events).unwrap();
        (folder, inbox)
    }

    #[test]
    fn rule_02_a_folder_made_again_is_watched_again() {
        let dir = tempfile::tempdir().unwrap();
        let jobs = dir.path().join("jobs");
        fs::create_dir(&jobs).unwrap();
        let (mut folder, inbox) = open(&jobs);
        assert!(!folder.is_replaced().unwrap());

        fs::rename(&jobs, dir.path().join("moved")).unwrap();
        let gone = folder.is_replaced().unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        fs::write(&jobs, "no folder").unwrap();
        assert!(folder.is_replaced().is_err());
        fs::remove_file(&jobs).unwrap();

        fs::create_dir(&jobs).unwrap();
        assert!(folder.is_replaced().unwrap());
        folder.reopen().unwrap();
        assert!(!folder.is_replaced().unwrap());
        assert!(jobs.join(".incoming").is_dir());
        while inbox.try_recv().is_ok() {}
        fs::write(jobs.join("a.yaml"), "").unwrap();
        let heard = inbox.recv().unwrap();
        assert!(matches!(heard, Event::Hint(Hint::Changed)), "{heard:?}");
    }

    #[test]
    fn rule_12_the_servers_time_is_that_of_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let mtime = |name: &str| {
            let path = dir.path().join(name);
            fs::write(&path, "").unwrap();
            path.metadata().unwrap().modified().unwrap()
        };
        let before = mtime("before");
        let time = server_time(&dir.path().join(".probe")).unwrap();
        assert!((before..=mtime("after")).contains(&time));
        assert!(!dir.path().join(".probe").exists());
    }
}
