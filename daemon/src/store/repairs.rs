//! What was put right in the store, kept in `state/repaired.json` until a user has taken notice.

use std::{fs, io};

use framepack_ipc::control::Note;
use framepack_jobs::Code;

use super::location::Location;
use crate::file::replace;

/// Notes that are kept; the latest ones say enough.
const MAX_NOTES: usize = 20;

/// The note of a repair.
pub(super) fn repaired(what: String) -> Note {
    Note::new(Code::STORE_REPAIRED, what)
}

/// The note of a store that is not there any more.
pub(super) fn lost(what: String) -> Note {
    Note::new(Code::STORE_LOST, what)
}

/// The notes of earlier repairs. A file that can't be read says nothing.
pub(super) fn read(location: &Location) -> Vec<Note> {
    let text = fs::read(location.repairs()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write(location: &Location, notes: &[Note]) -> io::Result<()> {
    let latest = &notes[notes.len().saturating_sub(MAX_NOTES)..];
    let text = serde_json::to_vec_pretty(latest).expect("notes are text");
    replace(&location.repairs(), &text)
}

/// Adds notes to what was repaired before, durably.
pub(super) fn add(location: &Location, new: impl Iterator<Item = Note>) -> io::Result<()> {
    let mut notes = read(location);
    let known = notes.len();
    for note in new {
        tracing::warn!(code = %note.code, "{}", note.message);
        notes.push(note);
    }
    if notes.len() == known {
        return Ok(());
    }
    write(location, &notes)
}

pub(super) fn forget(location: &Location) -> io::Result<()> {
    match fs::remove_file(location.repairs()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
