//! What users have decided about the queue as a whole, in `state/notes.json`.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde_json::Value;

use super::location::Location;
use crate::file::replace;

/// The values by their keys; a file that is not there has none. One that can't be read is set aside: what was wrong with
/// it comes, too.
pub(super) fn read(location: &Location) -> io::Result<(BTreeMap<String, Value>, Option<String>)> {
    let path = location.notes();
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        text => text?,
    };
    let error = match serde_json::from_slice(&text) {
        Ok(notes) => return Ok((notes, None)),
        Err(error) => error,
    };
    let aside = location.aside()?;
    fs::rename(&path, aside.join("notes.json"))?;
    let what = format!(
        "{} could not be read ({error}), so pauses of the queue and of groups were lost; the file was moved to {}",
        path.display(),
        aside.display()
    );
    Ok((BTreeMap::new(), Some(what)))
}

/// Replaces the file, durably.
pub(super) fn write(path: &Path, notes: &BTreeMap<String, Value>) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(notes).expect("values have string keys");
    replace(path, &text)
}
