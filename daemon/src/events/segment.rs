//! What is at the beginning of each file: enough to know what came before it when that is gone.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use framepack_jobs::Timestamp;
use serde::{Deserialize, Serialize};

use super::position::Position;

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The log's random name.
    pub(super) log: String,
    /// The last event before this file.
    pub(super) after: Position,
    /// When the file was begun.
    pub(super) at: Timestamp,
    /// Whether the farm was told to be idle by then.
    pub(super) idle: bool,
}

impl Header {
    /// The header of a file, and its bytes; `None`: the file has none that can be read.
    pub(super) fn read(path: &Path) -> io::Result<Option<(Self, u64)>> {
        let mut line = String::new();
        match BufReader::new(File::open(path)?).read_line(&mut line) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            read => read?,
        };
        let header = serde_json::from_str(&line).ok();
        let is_whole = line.ends_with('\n');
        Ok(header
            .filter(|_| is_whole)
            .map(|header| (header, line.len() as u64)))
    }

    /// The header as its line, newline included.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a header is plain data");
        line.push(b'\n');
        line
    }
}
