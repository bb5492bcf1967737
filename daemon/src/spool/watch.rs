//! inotify as a hint: it makes a dropped file seen at once instead of at the next scan.

use std::{path::Path, sync::mpsc};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use tracing::warn;

use super::Event;

/// Watches the folder until the watcher is dropped. Without one the scans alone find the files.
pub(super) fn start(jobs: &Path, events: mpsc::Sender<Event>) -> Option<RecommendedWatcher> {
    let watching = notify::recommended_watcher(move |event| {
        for hint in hints(event) {
            // Fails only once the spool has stopped.
            let _ = events.send(hint);
        }
    })
    .and_then(|mut watcher| {
        watcher
            .watch(jobs, RecursiveMode::NonRecursive)
            .map(|()| watcher)
    });
    watching
        .inspect_err(|error| warn!(folder = %jobs.display(), %error, "no events for the jobs folder: it is only scanned"))
        .ok()
}

fn hints(event: notify::Result<notify::Event>) -> Vec<Event> {
    let Ok(event) = event else {
        return vec![Event::Changed];
    };
    match event.kind {
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
            let names = event.paths.iter().filter_map(|path| path.file_name());
            names.map(|name| Event::Renamed(name.to_owned())).collect()
        }
        // Not every write: a file that is being written is looked at when it has settled.
        EventKind::Create(_) | EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
            vec![Event::Changed]
        }
        _ if event.need_rescan() => vec![Event::Changed],
        _ => Vec::new(),
    }
}
