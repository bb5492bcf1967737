//! `spool` and `queue`: how the jobs folder is read, and how many jobs there may be.

use std::{ops::RangeInclusive, time::Duration};

use framepack_yaml::{Mistake, Node};
use serde::Serialize;

use crate::reader::Reader;

/// `spool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spool {
    /// How changes are noticed.
    pub mode: WatchMode,
    /// Whether nothing is written into the folder.
    pub readonly: bool,
    /// What happens to files that are jobs already.
    pub dedupe: Dedupe,
    /// How long a file must be left unchanged; `None` = by the file system.
    pub settle: Option<Duration>,
    /// How long a file may look unfinished.
    pub grace: Duration,
    /// How often the folder is listed in any case; `None` = by the file system.
    pub scan: Option<Duration>,
    /// How long a job waits for its picture.
    pub wait_inputs: Duration,
    /// How long a file may lie in the folder without being taken before that is reported as a fault.
    pub alarm: Duration,
}

/// How changes in the jobs folder are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchMode {
    /// By events where the file system is local and a test shows that they come.
    #[default]
    Auto,
    /// By events.
    Events,
    /// By listing the folder.
    Poll,
}

/// What happens to a file that is a job already, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dedupe {
    /// It is filed as a duplicate: the job is not rendered again.
    #[default]
    Skip,
    /// It is a new job, with a warning.
    Warn,
    /// It is a new job.
    Off,
}

/// `queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Jobs that may be queued or running at a time.
    pub max_jobs: u64,
}

impl Spool {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let or = Self::default();
        let mode = reader.value("spool.mode", or.mode, WatchMode::read);
        let readonly = reader.value("spool.readonly", or.readonly, Node::boolean);
        let dedupe = reader.value("spool.dedupe", or.dedupe, Dedupe::read);
        let mut secs = |key, range: RangeInclusive<f64>, default: Option<Duration>| {
            let default = default.map(|time| time.as_secs_f64());
            let secs = reader.value(key, default, |node| node.number(&range).map(Some));
            secs.map(Duration::from_secs_f64)
        };
        Self {
            mode,
            readonly,
            dedupe,
            settle: secs("spool.settle_secs", 0.05..=600.0, None),
            grace: secs("spool.grace_secs", 0.1..=86_400.0, Some(or.grace)).unwrap_or(or.grace),
            scan: secs("spool.scan_secs", 0.1..=3600.0, None),
            wait_inputs: secs(
                "spool.wait_inputs_secs",
                0.0..=2_592_000.0,
                Some(or.wait_inputs),
            )
            .unwrap_or(or.wait_inputs),
            alarm: secs("spool.alarm_secs", 0.1..=2_592_000.0, Some(or.alarm)).unwrap_or(or.alarm),
        }
    }
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            mode: WatchMode::Auto,
            readonly: false,
            dedupe: Dedupe::Skip,
            settle: None,
            grace: Duration::from_mins(1),
            scan: None,
            wait_inputs: Duration::from_mins(10),
            alarm: Duration::from_mins(10),
        }
    }
}

impl WatchMode {
    fn read(node: &Node) -> Result<Self, Mistake> {
        match node.word("a watch mode", ["auto", "events", "poll"])? {
            "events" => Ok(Self::Events),
            "poll" => Ok(Self::Poll),
            _ => Ok(Self::Auto),
        }
    }
}

impl Dedupe {
    fn read(node: &Node) -> Result<Self, Mistake> {
        match node.word("a dedupe mode", ["skip", "warn", "off"])? {
            "warn" => Ok(Self::Warn),
            "off" => Ok(Self::Off),
            _ => Ok(Self::Skip),
        }
    }
}

impl QueueLimits {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            max_jobs: reader.value("queue.max_jobs", 20_000, |node| {
                node.integer(&(1..=1_000_000))
            }),
        }
    }
}
