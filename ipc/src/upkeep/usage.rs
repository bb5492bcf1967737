//! What jobs have taken of disks, energy and time.

use std::path::PathBuf;

use framepack_jobs::Timestamp;
use serde::{Deserialize, Serialize};

/// What is to be measured and added up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UsageRequest {
    /// Only jobs that have ended since then; `None`: all.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// What a farm has taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Folders and what is in them.
    pub folders: Vec<FolderUsage>,
    /// What jobs took that have ended, by day and group, the earliest day first.
    pub work: Vec<WorkUsage>,
    /// The jobs that were added up have ended since then; `None`: all.
    pub since: Option<Timestamp>,
}

/// A folder, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderUsage {
    /// What is in it: `outputs`, `work`, `checkpoints`, …
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Disk space that its files take.
    pub bytes: u64,
    /// How many files they are.
    pub files: u64,
    /// How much of it was looked at.
    pub measured: Measured,
    /// Free space on its disk; `None`: not known.
    pub free_bytes: Option<u64>,
}

/// How much of a folder was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// All of it.
    All,
    /// As much as there was time for.
    Part,
    /// Nothing: its disk does not answer.
    Silent,
    /// A word of a later version.
    #[serde(other)]
    Unknown,
}

/// What the jobs of a group took that ended on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkUsage {
    /// The day in UTC, as `2026-11-24`.
    pub day: String,
    /// The group; `None`: jobs without one.
    pub group: Option<String>,
    /// Jobs that are done.
    pub done: u64,
    /// Jobs that ended otherwise.
    pub others: u64,
    /// Seconds from the start to the end of the last run of those that are done.
    pub render_secs: f64,
    /// Seconds of video.
    pub video_secs: f64,
    /// Energy of the devices while all of these jobs ran; `None`: no device tells.
    pub energy_joules: Option<f64>,
}

impl WorkUsage {
    /// Energy in watt-hours.
    pub fn energy_wh(&self) -> Option<f64> {
        self.energy_joules.map(|joules| joules / 3600.0)
    }
}

impl Usage {
    /// Top-level keys of its JSON.
    pub const FIELDS: [&str; 3] = ["folders", "work", "since"];
}
