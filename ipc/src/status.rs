//! How the daemon and its workers are.

use framepack_jobs::{AnyCode, Code, Model, Timestamp};
use serde::{Deserialize, Serialize};

use crate::worker::Temperature;

/// The daemon as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonStatus {
    /// Version of the daemon.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Seconds since its start.
    pub uptime_secs: f64,
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that run.
    pub running: u64,
    /// Its workers, one a device.
    pub workers: Vec<WorkerStatus>,
    /// Why no job begins, while that is so.
    #[serde(default)]
    pub paused: Option<String>,
    /// What does not work as it should, though the daemon goes on.
    #[serde(default)]
    pub degraded: Vec<Note>,
    /// What jobs wait for until the farm is mended; `degraded` has it, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
}

/// A fault of the farm that the next job would meet, too: until it is mended jobs wait for it, and lose nothing. It ends
/// by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Stable code; in JSON with who is at `fault`.
    #[serde(flatten)]
    pub code: AnyCode,
    /// What is wrong, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// When it was met first.
    pub since: Timestamp,
    /// When it is tried again at the latest; `None` while it is being tried, and where it waits for a job that can try.
    pub next_try: Option<Timestamp>,
    /// Whether it is being tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trying: bool,
    /// The devices that it keeps from working; none: jobs wait on all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// The models whose jobs wait; none: all jobs do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Model>,
}

impl Outage {
    /// Since when it lasts and when it is tried again, in words.
    pub fn times(&self) -> String {
        self.times_as(|time| time.to_string())
    }

    /// The same with times as `written`.
    pub fn times_as(&self, written: impl Fn(Timestamp) -> String) -> String {
        let since = written(self.since);
        match self.next_try.map(written) {
            Some(next) if !self.devices.is_empty() => {
                format!("since {since}; tried again at {next} at the latest")
            }
            Some(next) => {
                format!("since {since}; tried again at {next}, or as soon as its files change")
            }
            None if self.trying => format!("since {since}; being tried again"),
            None => format!(
                "since {since}; tried again by the next job that can start, and over once its files have changed and look sound"
            ),
        }
    }
}

/// Something that the daemon's user should know and do something about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Stable code; in JSON with who is at `fault`.
    #[serde(flatten)]
    pub code: AnyCode,
    /// What is wrong, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Note {
    /// A note with the hint of its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: Some(code.hint().to_owned()),
        }
    }
}

/// One worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The device's name, once the worker has told it.
    pub device_name: Option<String>,
    /// What it does.
    pub state: WorkerState,
    /// Why it does that, where it is not plain.
    #[serde(default)]
    pub note: Option<String>,
    /// What it keeps of its models, while it waits for a job.
    #[serde(default)]
    pub temperature: Option<Temperature>,
    /// Why it can't start, if that is the farm's fault and not the device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Box<Outage>>,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// Its process has not said that it is ready.
    Starting,
    /// It waits for a job.
    Idle,
    /// It renders.
    Busy,
    /// Its process is gone and will be started again.
    Down,
    /// Its device has failed too often: it gets no job until it is enabled again.
    Faulty,
    /// A state of a later version.
    #[serde(other)]
    Unknown,
}
