//! What the spool publishes: `STATUS.txt`, notes and metrics for clients, and the log.

use std::{ffi::OsString, io, time::Instant};

use framepack_ipc::control::Note;
use framepack_jobs::Code;
use tracing::warn;

use super::{
    Spool, View,
    folder::Folder,
    held::blocker,
    metrics::{Mode, SpoolMetrics},
    places::Access,
    status::Status,
};
use crate::queue::Summary;

impl Spool {
    /// Notes a file that can't be taken; logged when the reason is new.
    pub(super) fn trouble(&mut self, name: OsString, why: String) {
        if self.troubles.get(&name) != Some(&why) {
            warn!(file = %name.display(), "{why}");
            self.troubles.insert(name, why);
        }
    }

    /// Publishes the current status: in `STATUS.txt`, and for clients of the daemon.
    pub(super) fn publish(&mut self, left: usize, summary: &Summary, unusable: Option<Note>) {
        let metrics = self.metrics(left, unusable.as_ref());
        let is_written = unusable.is_none() || self.folder.access() == Access::ReadOnly;
        let notes: Vec<Note> = unusable.into_iter().chain(self.alarm()).collect();
        let status = Status {
            daemon_id: &self.daemon_id,
            folder: self.folder.describe(),
            summary,
            unsettled: &self.unsettled,
            troubles: &self.troubles,
            held: &self.held,
            left,
            blocker: blocker(&self.held),
            notes: &notes,
        };
        if is_written {
            self.status.update(self.folder.spool_dir(), &status);
        }
        self.view.send_modify(|view| {
            for note in notes.iter().filter(|note| !view.notes.contains(note)) {
                warn!(code = %note.code, "{}", note.message);
            }
            *view = View { notes, metrics };
        });
    }

    fn metrics(&self, left: usize, unusable: Option<&Note>) -> SpoolMetrics {
        let unsettled = self.unsettled();
        SpoolMetrics {
            totals: self.totals.clone(),
            unsettled: unsettled.len() as u64,
            left: left as u64,
            claimed: (self.held.len() + self.of_jobs.len()) as u64,
            oldest_unsettled: unsettled.first().map(|file| file.since),
            listing: self.listing,
            mode: unusable.map_or(self.folder.mode(), |_| Mode::Gone),
        }
    }

    /// Files that have not settled or can't be taken, the oldest first.
    fn unsettled(&self) -> Vec<PendingFile<'_>> {
        let files = self.unsettled.files.iter().chain(&self.troubles);
        let mut files: Vec<_> = files
            .filter_map(|(name, why)| {
                let since = self.observations.get(name)?.since;
                Some(PendingFile { since, name, why })
            })
            .collect();
        files.sort_by_key(|file| file.since);
        files
    }

    /// Files that have lain in the folder for too long.
    fn alarm(&self) -> Option<Note> {
        let mut files = self.unsettled();
        files.retain(|file| file.since.elapsed() > self.settings.alarm);
        let oldest = files.first()?;
        let (name, why) = (oldest.name.display().to_string(), oldest.why);
        let message = format!(
            "{} files have been in the jobs folder for more than {} s without being taken; the first is {}: {why}",
            files.len(),
            self.settings.alarm.as_secs_f64(),
            name.escape_debug(),
        );
        Some(Note::new(Code::FILES_NOT_TAKEN, message))
    }
}

/// A file that is still in the folder.
struct PendingFile<'a> {
    since: Instant,
    name: &'a OsString,
    why: &'a str,
}

/// The folder is gone, or can't be read.
pub(super) fn unusable(folder: &Folder, error: &io::Error) -> Note {
    let folder = folder.path().display();
    let message = format!("the jobs folder {folder} can't be used: {error}");
    Note::new(Code::JOBS_FOLDER_GONE, message)
}
