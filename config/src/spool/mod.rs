//! `spool` and `queue`: how the jobs folder is read, and how much of it is taken.

mod words;

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

pub use words::{Dedupe, UnknownDedupe, UnknownWatchMode, WatchMode};

use crate::{ProblemKind, Problems, Table, environment::Given};

/// Keys of `spool` in the file.
pub(crate) const SPOOL_KEYS: [&str; 8] = [
    "mode",
    "readonly",
    "dedupe",
    "settle_secs",
    "grace_secs",
    "scan_secs",
    "wait_inputs_secs",
    "alarm_secs",
];
/// Keys of `queue` in the file.
pub(crate) const QUEUE_KEYS: [&str; 1] = ["max_jobs"];

const SETTLE_SECS: RangeInclusive<f64> = 0.05..=600.0;
const GRACE_SECS: RangeInclusive<f64> = 0.1..=86_400.0;
const SCAN_SECS: RangeInclusive<f64> = 0.1..=3600.0;
const WAIT_INPUTS_SECS: RangeInclusive<f64> = 0.0..=2_592_000.0;
const ALARM_SECS: RangeInclusive<f64> = 0.1..=2_592_000.0;
const MAX_JOBS: RangeInclusive<u64> = 1..=1_000_000;

/// `spool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spool {
    /// How changes are noticed.
    pub mode: WatchMode,
    /// Whether nothing is written into the folder.
    pub readonly: bool,
    /// What becomes of files that are jobs already.
    pub dedupe: Dedupe,
    /// How long a file must be left unchanged; `None` = by the file system.
    pub settle: Option<Duration>,
    /// How long a file may look unfinished.
    pub grace: Duration,
    /// How often the folder is listed whatever is heard of it; `None` = by the file system.
    pub scan: Option<Duration>,
    /// How long a job waits for its picture.
    pub wait_inputs: Duration,
    /// How long a file may lie in the folder without being taken until that is told as a fault.
    pub alarm: Duration,
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

/// `queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Jobs that may be queued or running at a time.
    pub max_jobs: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { max_jobs: 20_000 }
    }
}

/// What one source says of `spool` and `queue`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpoolLayer {
    /// `spool.mode`
    pub mode: Option<WatchMode>,
    /// `spool.readonly`
    pub readonly: Option<bool>,
    /// `spool.dedupe`
    pub dedupe: Option<Dedupe>,
    /// `spool.settle_secs`
    pub settle: Option<Duration>,
    /// `spool.grace_secs`
    pub grace: Option<Duration>,
    /// `spool.scan_secs`
    pub scan: Option<Duration>,
    /// `spool.wait_inputs_secs`
    pub wait_inputs: Option<Duration>,
    /// `spool.alarm_secs`
    pub alarm: Option<Duration>,
    /// `queue.max_jobs`
    pub max_jobs: Option<u64>,
}

impl SpoolLayer {
    /// What this layer says, and `below` where it says nothing.
    pub(crate) fn over(self, below: &Self) -> Self {
        Self {
            mode: self.mode.or(below.mode),
            readonly: self.readonly.or(below.readonly),
            dedupe: self.dedupe.or(below.dedupe),
            settle: self.settle.or(below.settle),
            grace: self.grace.or(below.grace),
            scan: self.scan.or(below.scan),
            wait_inputs: self.wait_inputs.or(below.wait_inputs),
            alarm: self.alarm.or(below.alarm),
            max_jobs: self.max_jobs.or(below.max_jobs),
        }
    }

    pub(crate) fn resolve(self) -> (Spool, QueueLimits) {
        let default = Spool::default();
        let spool = Spool {
            mode: self.mode.unwrap_or_default(),
            readonly: self.readonly.unwrap_or(default.readonly),
            dedupe: self.dedupe.unwrap_or_default(),
            settle: self.settle,
            grace: self.grace.unwrap_or(default.grace),
            scan: self.scan,
            wait_inputs: self.wait_inputs.unwrap_or(default.wait_inputs),
            alarm: self.alarm.unwrap_or(default.alarm),
        };
        let limits = QueueLimits::default();
        let max_jobs = self.max_jobs.unwrap_or(limits.max_jobs);
        (spool, QueueLimits { max_jobs })
    }
}

/// The layer that the file's two sections give.
pub(crate) fn in_file(spool: &Table<'_>, queue: &Table<'_>, problems: &mut Problems) -> SpoolLayer {
    let mut secs = |key: &str, range| {
        let secs = spool.number(key, range, problems)?;
        Some(Duration::from_secs_f64(secs))
    };
    SpoolLayer {
        settle: secs("settle_secs", &SETTLE_SECS),
        grace: secs("grace_secs", &GRACE_SECS),
        scan: secs("scan_secs", &SCAN_SECS),
        wait_inputs: secs("wait_inputs_secs", &WAIT_INPUTS_SECS),
        alarm: secs("alarm_secs", &ALARM_SECS),
        readonly: spool.boolean("readonly", problems),
        mode: word(spool, "mode", problems),
        dedupe: word(spool, "dedupe", problems),
        max_jobs: queue.integer("max_jobs", &MAX_JOBS, problems),
    }
}

/// One of the words of a type.
fn word<T: FromStr<Err: fmt::Display>>(
    spool: &Table<'_>,
    key: &str,
    problems: &mut Problems,
) -> Option<T> {
    let wrong = |err: T::Err| spool.problem(ProblemKind::OutOfRange, key, err.to_string());
    let word = spool.text(key, problems)?.parse().map_err(wrong);
    word.map_err(|problem| problems.push(problem)).ok()
}

/// The layer that the environment gives; `get` knows no empty variables.
pub(crate) fn in_environment<'v>(
    get: impl Fn(&str) -> Option<&'v str>,
    problems: &mut Problems,
) -> SpoolLayer {
    let mut given = Given { get, problems };
    SpoolLayer {
        mode: given.word("FRAMEPACKD_SPOOL_MODE"),
        readonly: given.word("FRAMEPACKD_SPOOL_READONLY"),
        dedupe: given.word("FRAMEPACKD_SPOOL_DEDUPE"),
        settle: given.secs("FRAMEPACKD_SPOOL_SETTLE_SECS", &SETTLE_SECS),
        grace: given.secs("FRAMEPACKD_SPOOL_GRACE_SECS", &GRACE_SECS),
        scan: given.secs("FRAMEPACKD_SPOOL_SCAN_SECS", &SCAN_SECS),
        wait_inputs: given.secs("FRAMEPACKD_SPOOL_WAIT_INPUTS_SECS", &WAIT_INPUTS_SECS),
        alarm: given.secs("FRAMEPACKD_SPOOL_ALARM_SECS", &ALARM_SECS),
        max_jobs: given.within("FRAMEPACKD_QUEUE_MAX_JOBS", &MAX_JOBS, "a whole number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str) -> Result<SpoolLayer, String> {
        let (root, mut problems) = (yaml::parse(text).unwrap(), Problems::default());
        let top = Table::root(&root, &["spool", "queue"], &mut problems);
        let spool = top.table("spool", &SPOOL_KEYS, &mut problems);
        let queue = top.table("queue", &QUEUE_KEYS, &mut problems);
        let layer = in_file(&spool, &queue, &mut problems);
        problems.or(layer).map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_environment_is_over_the_file_and_the_file_over_the_defaults() {
        let file = read("spool: {mode: poll, settle_secs: 0.5, scan_secs: 3}\n").unwrap();
        let environment = |name: &str| match name {
            "FRAMEPACKD_SPOOL_MODE" => Some("events"),
            "FRAMEPACKD_SPOOL_SCAN_SECS" => Some("7"),
            "FRAMEPACKD_QUEUE_MAX_JOBS" => Some("5"),
            _ => None,
        };
        let mut problems = Problems::default();
        let layer = in_environment(environment, &mut problems);
        let (spool, queue) = problems.or(layer).unwrap().over(&file).resolve();
        let expected = Spool {
            mode: WatchMode::Events,
            settle: Some(Duration::from_millis(500)),
            scan: Some(Duration::from_secs(7)),
            ..Spool::default()
        };
        assert_eq!((spool, queue), (expected, QueueLimits { max_jobs: 5 }));
    }

    #[test]
    fn mistakes_are_told() {
        let told = read("spool: {mode: pol, grace_secs: 0}\nqueue: {max_jobs: 0}\n").unwrap_err();
        for part in ["`pol`", "spool.grace_secs", "queue.max_jobs"] {
            assert!(told.contains(part), "{told}");
        }
        let mut problems = Problems::default();
        in_environment(|_| Some("none"), &mut problems);
        assert_eq!(problems.iter().count(), 9);
    }
}
