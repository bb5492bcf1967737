//! The journal's files, by number.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::file::sync_dir;

const SUFFIX: &str = ".ndjson";

/// One file of the journal.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
}

/// The journal's files in the order in which they were written.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(SUFFIX)?.parse().ok());
        segments.extend(number.map(|number| Segment { number, path }));
    }
    segments.sort_by_key(|segment| segment.number);
    Ok(segments)
}

/// Where the file of this number lies.
pub(super) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}{SUFFIX}"))
}

/// Opens a file for appending; it is there after a crash, too.
pub(super) fn open_segment(folder: &Path, number: u64) -> io::Result<File> {
    let path = segment_path(folder, number);
    let file = File::options().append(true).create(true).open(path)?;
    sync_dir(folder)?;
    Ok(file)
}
