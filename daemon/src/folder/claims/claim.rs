//! A claimed file and its name: `<claim-id>.<original name>`.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use crate::folder::dropped;

/// Longest file name on Linux file systems.
const NAME_MAX_BYTES: usize = 255;
/// Room left in a claimed name for what the archive adds to it: `.<job>.report.json`.
const ARCHIVE_ROOM_BYTES: usize = 40;

/// A claimed file. The claim id is random and never used twice, so a record in the store that names it can mean no
/// other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Random, 16 hexadecimal digits.
    pub(crate) id: String,
    /// Name under which the file was dropped; the stem is cut if it was close to the limit of the file system.
    pub(crate) name: OsString,
    /// Where the file is now.
    pub(crate) path: PathBuf,
}

impl Claim {
    /// The claim of this id in a folder of claims, of a file that was dropped as `name`.
    pub(super) fn new(dir: &Path, id: String, name: OsString) -> Self {
        let mut file_name = OsString::from(&id);
        file_name.push(".");
        file_name.push(&name);
        Self {
            path: dir.join(file_name),
            id,
            name,
        }
    }

    /// The claim that this file in a folder of claims is, if it is one.
    pub(super) fn of(dir: &Path, file_name: &OsStr) -> Option<Self> {
        let dot = file_name.as_bytes().iter().position(|byte| *byte == b'.')?;
        let (id, name) = file_name.as_bytes().split_at(dot);
        let id = str::from_utf8(id).ok()?;
        let name = OsStr::from_bytes(&name[1..]).to_owned();
        (id.len() == 16).then(|| Self::new(dir, id.to_owned(), name))
    }
}

/// Cuts the stem of a name that would not fit with the claim's and the archive's additions.
pub(super) fn shorten(name: &OsStr) -> OsString {
    let room = NAME_MAX_BYTES - ARCHIVE_ROOM_BYTES;
    if name.len() <= room {
        return name.to_owned();
    }
    let (stem, suffix) = dropped::split_suffix(name);
    let mut end = room - suffix.len();
    let bytes = stem.as_bytes();
    // Not within a character of UTF-8, whose bytes but the first begin with the bits 10.
    while end > 0 && bytes[end] & 0xc0 == 0x80 && end + 3 > room - suffix.len() {
        end -= 1;
    }
    let mut short = bytes[..end].to_vec();
    short.extend_from_slice(suffix.as_bytes());
    OsString::from_vec(short)
}
