//! inotify as a hint: it makes a dropped file seen at once instead of at the next listing.
//!
//! Some file systems accept a watch and never report anything. So the folder is tested: a file is written, and
//! if no event comes in time, the folder is polled.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    time::{Duration, Instant},
};

use framepack_config::WatchMode;
use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use tracing::warn;

use super::file_system::FileSystem;
use crate::folder::{
    dropped::{conflict, is_job_file},
    wake::{Event, Hint},
};

/// How long the test file's event may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// How changes in the folder are noticed, beside the listings.
#[derive(Debug)]
pub(super) enum Watch {
    /// By events, once the test file's has come.
    Testing {
        watcher: RecommendedWatcher,
        probe: PathBuf,
        until: Instant,
    },
    /// By events.
    Events { _watcher: RecommendedWatcher },
    /// By nothing else; why.
    Listing { reason: String },
}

/// The same as a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is being tested whether events come.
    #[default]
    Testing,
    Events,
    /// By listings alone.
    Listing,
    /// The folder is gone.
    Gone,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Testing, Self::Events, Self::Listing, Self::Gone];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Testing => "testing",
            Self::Events => "events",
            Self::Listing => "listing",
            Self::Gone => "gone",
        }
    }
}

impl Watch {
    /// Begins to watch a folder. `probe` is the name of the test file.
    pub(super) fn start(
        jobs: &Path,
        (mode, file_system): (WatchMode, FileSystem),
        probe: &OsStr,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let is_tested = match (mode, file_system) {
            (WatchMode::Poll, _) => return Self::listing("spool.mode is poll"),
            (WatchMode::Auto, FileSystem::Network { .. }) => {
                return Self::listing("network file systems do not report what other hosts change");
            }
            (WatchMode::Auto, FileSystem::Local) => true,
            (WatchMode::Events, _) => false,
        };
        let watcher = match ask(jobs, probe, events) {
            Ok(watcher) => watcher,
            Err(error) => {
                warn!(folder = %jobs.display(), %error, "no inotify events for the jobs folder: polling it instead");
                return Self::Listing {
                    reason: error.to_string(),
                };
            }
        };
        let probe = jobs.join(probe);
        if is_tested && fs::write(&probe, "is this seen?\n").is_ok() {
            let until = Instant::now() + PROBE_PATIENCE;
            return Self::Testing {
                watcher,
                probe,
                until,
            };
        }
        Self::Events { _watcher: watcher }
    }

    fn listing(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self::Listing { reason }
    }

    /// An event for the test file has come.
    pub(super) fn confirm(self) -> Self {
        let Self::Testing { watcher, probe, .. } = self else {
            return self;
        };
        remove_probe(&probe);
        Self::Events { _watcher: watcher }
    }

    /// Gives up on events that did not come in time.
    pub(super) fn check(self, now: Instant) -> Self {
        match self {
            Self::Testing { probe, until, .. } if now >= until => {
                remove_probe(&probe);
                warn!(
                    "no inotify event for a test file in the jobs folder: polling the folder instead"
                );
                Self::listing("inotify did not report a test file")
            }
            other => other,
        }
    }

    /// How often the folder is listed when nothing is heard.
    pub(super) fn scan_interval(&self) -> Duration {
        match self {
            Self::Events { .. } => Duration::from_secs(10),
            Self::Testing { .. } => PROBE_PATIENCE,
            Self::Listing { .. } => Duration::from_secs(5),
        }
    }

    pub(super) fn mode(&self) -> Mode {
        match self {
            Self::Testing { .. } => Mode::Testing,
            Self::Events { .. } => Mode::Events,
            Self::Listing { .. } => Mode::Listing,
        }
    }

    /// In words, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Events { .. } => "watching with inotify".to_owned(),
            Self::Testing { .. } => "testing inotify".to_owned(),
            Self::Listing { reason } => format!("polling, because {reason}"),
        }
    }
}

fn remove_probe(probe: &Path) {
    // One that stays is hidden, and written over by the next test.
    let _ = fs::remove_file(probe);
}

fn ask(
    jobs: &Path,
    probe: &OsStr,
    events: mpsc::Sender<Event>,
) -> notify::Result<RecommendedWatcher> {
    let (folder, probe) = (jobs.to_owned(), probe.to_owned());
    let mut watcher = notify::recommended_watcher(move |event| {
        for hint in hints(event, &folder, &probe) {
            // Fails only once the folder's thread has stopped.
            let _ = events.send(Event::Hint(hint));
        }
    })?;
    watcher.watch(jobs, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// What an event means. Names that are no job files' are passed over, or writing `STATUS.txt` would wake its writer.
fn hints(event: notify::Result<notify::Event>, folder: &Path, probe: &OsString) -> Vec<Hint> {
    let Ok(event) = event else {
        return vec![Hint::Lost];
    };
    // The kernel's queue ran over, and names were lost.
    if event.need_rescan() {
        return vec![Hint::Lost];
    }
    let hint = |path: &PathBuf| {
        // The folder itself was removed or renamed.
        if path == folder {
            let is_about_it = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(_));
            return is_about_it.then_some(Hint::Changed);
        }
        let name = path.file_name()?;
        if name == probe {
            return Some(Hint::Probed);
        }
        if !is_job_file(name) && conflict(name).is_none() {
            return None;
        }
        match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                Some(Hint::Renamed(name.to_owned()))
            }
            // Not every write: a file that is being written is looked at when it has settled.
            EventKind::Create(_) | EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                Some(Hint::Changed)
            }
            _ => None,
        }
    };
    event.paths.iter().filter_map(hint).collect()
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, RemoveKind};

    use super::*;

    fn hints_of(kind: EventKind, path: &str) -> Vec<Hint> {
        let event = notify::Event::new(kind).add_path(path.into());
        hints(Ok(event), Path::new("/jobs"), &".probe".into())
    }

    #[test]
    fn rule_01_a_lost_event_is_counted_and_a_reason_to_look() {
        let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let hinted = hints(Ok(overflow), Path::new("/jobs"), &".probe".into());
        assert!(matches!(hinted[..], [Hint::Lost]), "{hinted:?}");
        let error = Err(notify::Error::generic("broken"));
        let hinted = hints(error, Path::new("/jobs"), &".probe".into());
        assert!(matches!(hinted[..], [Hint::Lost]), "{hinted:?}");
    }

    #[test]
    fn rule_01_job_files_and_the_folder_itself_are_hints_and_nothing_else_is() {
        let created = EventKind::Create(CreateKind::File);
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let hinted = hints_of(created, "/jobs/a.yaml");
        assert!(matches!(hinted[..], [Hint::Changed]), "{hinted:?}");
        let hinted = hints_of(renamed, "/jobs/a.yaml");
        assert!(
            matches!(&hinted[..], [Hint::Renamed(name)] if name == "a.yaml"),
            "{hinted:?}"
        );
        let hinted = hints_of(EventKind::Remove(RemoveKind::Folder), "/jobs");
        assert!(matches!(hinted[..], [Hint::Changed]), "{hinted:?}");
        let hinted = hints_of(created, "/jobs/.probe");
        assert!(matches!(hinted[..], [Hint::Probed]), "{hinted:?}");
        for path in ["/jobs/STATUS.txt", "/jobs/.a.yaml", "/jobs/photo.png"] {
            assert!(hints_of(renamed, path).is_empty(), "{path}");
        }
    }

    #[test]
    fn rule_02_events_that_do_not_come_are_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (events, inbox) = mpsc::channel();
        let start = || {
            let how = (WatchMode::Auto, FileSystem::Local);
            Watch::start(dir.path(), how, OsStr::new(".probe"), events.clone())
        };
        let watch = start();
        assert!(matches!(inbox.recv().unwrap(), Event::Hint(Hint::Probed)));
        assert!(matches!(watch.confirm(), Watch::Events { .. }));
        assert!(!dir.path().join(".probe").exists());

        let watch = start().check(Instant::now());
        assert!(matches!(watch, Watch::Testing { .. }));
        let watch = watch.check(Instant::now() + PROBE_PATIENCE);
        assert!(matches!(watch, Watch::Listing { .. }), "{watch:?}");
        assert_eq!(watch.scan_interval(), Duration::from_secs(5));
    }

    #[test]
    fn rule_02_network_file_systems_are_listed_unless_told_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let network = FileSystem::Network { kind: "NFS" };
        let start = |mode| {
            let (events, _) = mpsc::channel();
            Watch::start(dir.path(), (mode, network), OsStr::new(".probe"), events)
        };
        assert!(matches!(start(WatchMode::Auto), Watch::Listing { .. }));
        assert!(matches!(start(WatchMode::Events), Watch::Events { .. }));
        assert!(matches!(start(WatchMode::Poll), Watch::Listing { .. }));
    }
}
