//! `retention`: how long what was put away stays where it is.

use std::{ops::RangeInclusive, str::FromStr};

use crate::{ProblemKind, Problems, Table, environment::Given};

/// Keys of `retention` in the file.
pub(crate) const KEYS: [&str; 4] = ["done_days", "done_files", "failed_days", "then"];

const DAYS: RangeInclusive<u64> = 0..=36_500;
const FILES: RangeInclusive<u64> = 0..=10_000_000;

/// `retention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days for which `done/` and `duplicate/` keep files; 0 = for ever.
    pub done_days: u64,
    /// Jobs of which `done/` keeps the files; 0 = of all.
    pub done_files: u64,
    /// Days for which `failed/` and `rejected/` keep files; 0 = for ever.
    pub failed_days: u64,
    /// What becomes of them after that.
    pub then: Then,
}

/// What becomes of files that were kept for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Then {
    /// They are moved to `archive/`.
    #[default]
    Archive,
    /// They are removed.
    Delete,
}

/// Nothing that can be done with old files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither archive nor delete")]
pub struct UnknownThen(String);

impl FromStr for Then {
    type Err = UnknownThen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "archive" => Ok(Self::Archive),
            "delete" => Ok(Self::Delete),
            other => Err(UnknownThen(other.to_owned())),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            done_days: 30,
            done_files: 10_000,
            failed_days: 90,
            then: Then::Archive,
        }
    }
}

/// What one source says of `retention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionLayer {
    /// `retention.done_days`
    pub done_days: Option<u64>,
    /// `retention.done_files`
    pub done_files: Option<u64>,
    /// `retention.failed_days`
    pub failed_days: Option<u64>,
    /// `retention.then`
    pub then: Option<Then>,
}

impl RetentionLayer {
    /// What this layer says, and `below` where it says nothing.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            done_days: self.done_days.or(below.done_days),
            done_files: self.done_files.or(below.done_files),
            failed_days: self.failed_days.or(below.failed_days),
            then: self.then.or(below.then),
        }
    }

    pub(crate) fn resolve(self) -> Retention {
        let default = Retention::default();
        Retention {
            done_days: self.done_days.unwrap_or(default.done_days),
            done_files: self.done_files.unwrap_or(default.done_files),
            failed_days: self.failed_days.unwrap_or(default.failed_days),
            then: self.then.unwrap_or(default.then),
        }
    }
}

/// The layer that the file's section gives.
pub(crate) fn in_file(retention: &Table<'_>, problems: &mut Problems) -> RetentionLayer {
    RetentionLayer {
        done_days: retention.integer("done_days", &DAYS, problems),
        done_files: retention.integer("done_files", &FILES, problems),
        failed_days: retention.integer("failed_days", &DAYS, problems),
        then: retention.text("then", problems).and_then(|text| {
            let wrong = |err: UnknownThen| {
                problems.push(retention.problem(ProblemKind::OutOfRange, "then", err.to_string()));
            };
            text.parse().map_err(wrong).ok()
        }),
    }
}

/// The layer that the environment gives; `get` knows no empty variables.
pub(crate) fn in_environment<'v>(
    get: impl Fn(&str) -> Option<&'v str>,
    problems: &mut Problems,
) -> RetentionLayer {
    let mut given = Given { get, problems };
    let whole = "a whole number";
    RetentionLayer {
        done_days: given.within("FRAMEPACKD_RETENTION_DONE_DAYS", &DAYS, whole),
        done_files: given.within("FRAMEPACKD_RETENTION_DONE_FILES", &FILES, whole),
        failed_days: given.within("FRAMEPACKD_RETENTION_FAILED_DAYS", &DAYS, whole),
        then: given.word("FRAMEPACKD_RETENTION_THEN"),
    }
}
