//! `keep`: how long the state directory keeps what jobs that have ended left there.

use std::{ops::RangeInclusive, str::FromStr};

use crate::{Problem, ProblemKind, Problems, Table, yaml::Node};

/// Keys of `keep` in the file.
pub(crate) const KEYS: [&str; 3] = ["work_days", "logs_days", "max_jobs"];
/// Variables of the environment for them.
const VARIABLES: [&str; 3] = [
    "FRAMEPACKD_KEEP_WORK_DAYS",
    "FRAMEPACKD_KEEP_LOGS_DAYS",
    "FRAMEPACKD_KEEP_MAX_JOBS",
];

/// Range of all three.
const AMOUNTS: RangeInclusive<u32> = 1..=1_000_000;

/// An amount beyond which something is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepLimit {
    /// Nothing is removed for it.
    Never,
    /// Beyond so many days, or jobs.
    Beyond(u32),
}

/// `keep`. Records of jobs and videos stay in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days after a job's end for which its work folder is kept: previews, latents, contact sheet.
    pub work_days: KeepLimit,
    /// Days after a job's end for which its log is kept.
    pub logs_days: KeepLimit,
    /// Jobs that have ended whose work folder and log are kept, the latest.
    pub max_jobs: KeepLimit,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            work_days: KeepLimit::Beyond(30),
            logs_days: KeepLimit::Beyond(90),
            max_jobs: KeepLimit::Beyond(10_000),
        }
    }
}

/// Neither `never` nor a number in `AMOUNTS`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither never nor a whole number, {} to {}", AMOUNTS.start(), AMOUNTS.end())]
pub struct NoKeepLimit {
    text: String,
}

impl FromStr for KeepLimit {
    type Err = NoKeepLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let amount = text.parse().ok().filter(|amount| AMOUNTS.contains(amount));
        amount.map(Self::Beyond).ok_or_else(|| NoKeepLimit {
            text: text.to_owned(),
        })
    }
}

/// What one source says of `keep`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeepLayer {
    /// `keep.work_days`
    pub work_days: Option<KeepLimit>,
    /// `keep.logs_days`
    pub logs_days: Option<KeepLimit>,
    /// `keep.max_jobs`
    pub max_jobs: Option<KeepLimit>,
}

impl KeepLayer {
    fn of([work_days, logs_days, max_jobs]: [Option<KeepLimit>; 3]) -> Self {
        Self {
            work_days,
            logs_days,
            max_jobs,
        }
    }

    /// What this layer says, and `below` where it says nothing.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            work_days: self.work_days.or(below.work_days),
            logs_days: self.logs_days.or(below.logs_days),
            max_jobs: self.max_jobs.or(below.max_jobs),
        }
    }

    pub(crate) fn resolve(self) -> Keep {
        let default = Keep::default();
        Keep {
            work_days: self.work_days.unwrap_or(default.work_days),
            logs_days: self.logs_days.unwrap_or(default.logs_days),
            max_jobs: self.max_jobs.unwrap_or(default.max_jobs),
        }
    }
}

/// The layer that the file's section gives.
pub(crate) fn in_file(keep: &Table<'_>, problems: &mut Problems) -> KeepLayer {
    KeepLayer::of(KEYS.map(|key| limit(keep, key, problems)))
}

fn limit(keep: &Table<'_>, key: &str, problems: &mut Problems) -> Option<KeepLimit> {
    let Node::Text(text) = keep.get(key)? else {
        return keep.integer(key, &AMOUNTS, problems).map(KeepLimit::Beyond);
    };
    text.parse()
        .map_err(|err: NoKeepLimit| {
            problems.push(keep.problem(ProblemKind::OutOfRange, key, err.to_string()));
        })
        .ok()
}

/// The layer that the environment gives; `get` knows no empty variables.
pub(crate) fn in_environment<'v>(
    get: impl Fn(&str) -> Option<&'v str>,
    problems: &mut Problems,
) -> KeepLayer {
    KeepLayer::of(VARIABLES.map(|name| {
        get(name)?
            .parse()
            .map_err(|err: NoKeepLimit| {
                problems.push(Problem::new(ProblemKind::OutOfRange, name, err.to_string()));
            })
            .ok()
    }))
}
