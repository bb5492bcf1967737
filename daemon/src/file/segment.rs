//! The files of a log that grows, by number: `000007.ndjson`.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::durable::sync_dir;

const SUFFIX: &str = ".ndjson";

/// One file of a log.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
}

/// A log's files in the order in which they were written.
pub(crate) fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
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
pub(crate) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}{SUFFIX}"))
}

/// Opens a file for appending; it is there after a crash, too.
pub(crate) fn open_segment(folder: &Path, number: u64) -> io::Result<File> {
    let path = segment_path(folder, number);
    let file = File::options().append(true).create(true).open(path)?;
    sync_dir(folder)?;
    Ok(file)
}
