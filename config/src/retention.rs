//! `retention`: how long files of jobs that have ended are kept.

use std::ops::RangeInclusive;

use framepack_yaml::{Mistake, Node};
use serde::Serialize;

use crate::{
    Limit,
    limit::Zero,
    reader::{Key, Reader},
};

/// `retention`. Records of jobs and videos are kept in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days for which `done/` and `duplicate/` of the jobs folder keep files.
    pub done_days: Limit,
    /// Jobs whose files `done/` keeps, the latest.
    pub done_files: Limit,
    /// Days for which `failed/` and `rejected/` keep files.
    pub failed_days: Limit,
    /// What happens to files of the jobs folder after that.
    pub then: Expired,
    /// Days after a job's end for which its work folder is kept: previews, latents, contact sheet.
    pub work_days: Limit,
    /// Days after a job's end for which its log is kept.
    pub logs_days: Limit,
    /// Ended jobs whose work folder and log are kept, the latest.
    pub work_jobs: Limit,
    /// Days for which events are kept.
    pub events_days: Limit,
    /// MiB of events that are kept, the latest.
    pub events_mib: u64,
}

/// What happens to files whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expired {
    /// They are moved to `archive/`.
    Archive,
    /// They are removed.
    Delete,
}

impl Expired {
    fn read(node: &Node) -> Result<Self, Mistake> {
        match node.word("a retention action", ["archive", "delete"])? {
            "delete" => Ok(Self::Delete),
            _ => Ok(Self::Archive),
        }
    }
}

const DAYS: RangeInclusive<u32> = 1..=36_500;
const JOBS: RangeInclusive<u32> = 1..=10_000_000;
/// What the keys that `keep` had may be.
const KEPT: RangeInclusive<u32> = 1..=1_000_000;
const EVENTS_MIB: RangeInclusive<u64> = 1..=1 << 20;

impl Retention {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let or = Self::default();
        let limit = |range, zero| move |node: &Node| Limit::read(node, &range, zero);
        let (days, jobs) = (limit(DAYS, Zero::IsNever), limit(JOBS, Zero::IsNever));
        let kept = limit(KEPT, Zero::IsANumber);
        Self {
            done_days: reader.value("retention.done_days", or.done_days, &days),
            done_files: reader.value("retention.done_files", or.done_files, &jobs),
            failed_days: reader.value("retention.failed_days", or.failed_days, &days),
            then: reader.value("retention.then", or.then, Expired::read),
            work_days: reader.value(
                Key::formerly("retention.work_days", "keep.work_days"),
                or.work_days,
                &kept,
            ),
            logs_days: reader.value(
                Key::formerly("retention.logs_days", "keep.logs_days"),
                or.logs_days,
                &kept,
            ),
            work_jobs: reader.value(
                Key::formerly("retention.work_jobs", "keep.max_jobs"),
                or.work_jobs,
                &kept,
            ),
            events_days: reader.value("retention.events_days", or.events_days, &days),
            events_mib: reader.value("retention.events_mib", or.events_mib, |node| {
                node.integer(&EVENTS_MIB)
            }),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            done_days: Limit::At(30),
            done_files: Limit::At(10_000),
            failed_days: Limit::At(90),
            then: Expired::Archive,
            work_days: Limit::At(30),
            logs_days: Limit::At(90),
            work_jobs: Limit::At(10_000),
            events_days: Limit::At(30),
            events_mib: 64,
        }
    }
}
