//! The jobs folder as clients see it. Part of [`crate::control`].

use serde::{Deserialize, Serialize};

use crate::status::Note;

/// Files that are named in one [`Scan`]; more are only counted.
pub const MAX_WAITING: usize = 1000;

/// What a look at the jobs folder came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scan {
    /// Files that became jobs.
    pub jobs: u64,
    /// Files that duplicate an existing job.
    pub duplicates: u64,
    /// Files rejected.
    pub rejected: u64,
    /// Files that could be taken and were not yet: for want of room, or since they are so many.
    pub left: u64,
    /// Files that wait, of those that were not taken as of those that are not jobs yet.
    pub waiting: u64,
    /// The first [`MAX_WAITING`] of them.
    pub files: Vec<WaitingFile>,
    /// Files that look like jobs and are none, all of them: copies of files that were changed in two places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<WaitingFile>,
    /// What is wrong with the folder.
    pub notes: Vec<Note>,
}

/// A file that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingFile {
    /// Its name; bytes that are no text are replaced.
    pub file: String,
    /// For what.
    pub why: String,
}
