//! What users have decided about the queue as a whole, in `state/notes.json`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde_json::Value;

use crate::spool::sync_dir;

/// The values by their keys; a file that is not there has none.
pub(super) fn read(path: &Path) -> io::Result<BTreeMap<String, Value>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Replaces the file, durably.
pub(super) fn write(path: &Path, notes: &BTreeMap<String, Value>) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(&serde_json::to_vec_pretty(notes).expect("values have string keys"))?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}
