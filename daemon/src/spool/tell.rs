//! What the spool says of itself: `STATUS.txt`, notes for whoever asks the daemon, and the log.

use std::{ffi::OsString, io};

use framepack_ipc::control::Note;
use tracing::warn;

use super::{Spool, folder::Folder, held::hindrance, places::Access, status::Status};
use crate::queue::Summary;

impl Spool {
    /// Notes a file that can't be taken; logged when the reason is new.
    pub(super) fn trouble(&mut self, name: OsString, why: String) {
        if self.troubles.get(&name) != Some(&why) {
            warn!(file = %name.display(), "{why}");
            self.troubles.insert(name, why);
        }
    }

    /// Says how things are: in `STATUS.txt`, and to whoever asks the daemon.
    pub(super) fn tell(&mut self, left: usize, summary: &Summary, notes: Vec<Note>) {
        let status = Status {
            daemon_id: &self.daemon_id,
            folder: self.folder.describe(),
            summary,
            unsettled: &self.unsettled,
            troubles: &self.troubles,
            held: &self.held,
            left,
            hindrance: hindrance(&self.held),
            notes: &notes,
        };
        if notes.is_empty() || self.folder.access() == Access::ReadOnly {
            self.status.update(self.folder.papers(), &status);
        }
        self.notes.send_if_modified(|last| {
            let is_new = *last != notes;
            if is_new {
                for Note { code, message, .. } in &notes {
                    warn!(code, "{message}");
                }
                *last = notes;
            }
            is_new
        });
    }
}

/// The folder is gone, or can't be read.
pub(super) fn unusable(folder: &Folder, error: &io::Error) -> Note {
    Note {
        code: "FP5020".to_owned(),
        message: format!(
            "the jobs folder {} can't be used: {error}",
            folder.path().display()
        ),
        hint: Some(
            "mount it, or make it again; queued jobs go on, and the folder is read when it is back"
                .to_owned(),
        ),
    }
}
