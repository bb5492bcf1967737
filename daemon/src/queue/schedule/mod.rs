//! Which job is next, and why: a pure function of the jobs, the time and what the devices have ready.
//!
//! [`SchedulingContext::judge`] says of one job whether it may begin, and [`Lineup`] puts those that may into their order.
//! Nothing here is sorted or searched twice: a lineup of n jobs is made in O(n log n), each turn of it in O(log n).

mod dependencies;
mod lineup;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use framepack_jobs::{Dependency, Failure, Job, JobId, StateName, Timestamp, Window};

pub(super) use dependencies::circular;
pub(super) use lineup::{Overtaken, Turn, TurnReason, Warm};

use self::{dependencies::Dependencies, lineup::Lineup};

use crate::record::Record;

/// What is looked at.
#[derive(Debug)]
pub(super) struct SchedulingContext<'a> {
    jobs: &'a BTreeMap<JobId, Record>,
    queued: &'a BTreeSet<JobId>,
    dependencies: Dependencies<'a>,
    paused_groups: &'a BTreeSet<String>,
    time: LocalTime,
}

/// A point in time, here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalTime {
    pub(super) now: Timestamp,
    /// Of the local day, 0 to 1439.
    pub(super) minute: u16,
}

/// Whether a queued job may begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Eligibility {
    Ready,
    Waits(Wait),
    /// Its deadline has passed and it has never begun.
    Expired,
    /// It never may.
    Fails(Failure),
}

/// What a queued job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wait {
    Held,
    GroupPaused(String),
    /// A job that is not done; its number and state, if it is there at all.
    After(Dependency, Option<(JobId, StateName)>),
    NotBefore(Timestamp),
    /// The pause after a failure.
    Retry(Timestamp),
    Window {
        window: Window,
        opens: Timestamp,
    },
}

impl LocalTime {
    /// Now, by the system's clock and time zone.
    pub(super) fn now() -> Self {
        let now = Timestamp::now();
        Self {
            now,
            minute: local_minute(now),
        }
    }
}

/// Minute of the local day. Without a time zone database local time is UTC.
fn local_minute(now: Timestamp) -> u16 {
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    let local = time.to_zoned(jiff::tz::TimeZone::system());
    u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs())
}

impl<'a> SchedulingContext<'a> {
    pub(super) fn new(
        jobs: &'a BTreeMap<JobId, Record>,
        queued: &'a BTreeSet<JobId>,
        paused_groups: &'a BTreeSet<String>,
        time: LocalTime,
    ) -> Self {
        Self {
            jobs,
            queued,
            dependencies: Dependencies::of(jobs, queued),
            paused_groups,
            time,
        }
    }

    /// The jobs that wait, in the order of their numbers.
    pub(super) fn queued(&self) -> impl Iterator<Item = &'a Job> + use<'a> {
        let jobs = self.jobs;
        self.queued.iter().map(|id| &jobs[id].job)
    }

    /// Whether a queued job may begin.
    pub(super) fn judge(&self, job: &Job) -> Eligibility {
        let now = self.time.now;
        let schedule = &job.schedule;
        if job.runs.attempts == 0 && schedule.deadline.is_some_and(|deadline| deadline <= now) {
            return Eligibility::Expired;
        }
        let missing = match self.dependencies.of_job(job) {
            Ok(missing) => missing,
            Err(failure) => return Eligibility::Fails(failure),
        };
        if job.runs.held {
            return Eligibility::Waits(Wait::Held);
        }
        let paused_group =
            (schedule.group.as_ref()).filter(|group| self.paused_groups.contains(*group));
        if let Some(group) = paused_group {
            return Eligibility::Waits(Wait::GroupPaused(group.clone()));
        }
        if let Some((dependency, found)) = missing {
            return Eligibility::Waits(Wait::After(dependency, found));
        }
        if let Some(begin) = schedule.not_before.filter(|begin| *begin > now) {
            return Eligibility::Waits(Wait::NotBefore(begin));
        }
        if let Some(begin) = job.runs.retry_at.filter(|begin| *begin > now) {
            return Eligibility::Waits(Wait::Retry(begin));
        }
        match schedule.window {
            Some(window) if !window.contains(self.time.minute) => {
                Eligibility::Waits(Wait::Window {
                    window,
                    opens: self.opens(window),
                })
            }
            _ => Eligibility::Ready,
        }
    }

    /// When a closed window opens; the clock's changes of the night are not foreseen.
    fn opens(&self, window: Window) -> Timestamp {
        let minutes = window.minutes_until_open(self.time.minute);
        let wait = Duration::from_mins(minutes.into());
        let into_minute = Duration::from_micros(self.time.now.as_micros() % 60_000_000);
        self.time.now.plus(wait.saturating_sub(into_minute))
    }

    /// From now on the job counts as one that has ended without a video.
    pub(super) fn doom(&mut self, job: JobId, state: StateName) {
        self.dependencies.doom(job, state);
    }

    pub(super) fn is_doomed(&self, job: JobId) -> bool {
        self.dependencies.is_doomed(job)
    }

    /// The queued jobs that wait for themselves, or for such a job: they would wait for ever.
    pub(super) fn waiting_for_themselves(&self) -> Vec<JobId> {
        self.dependencies.waiting_for_themselves(self.queued)
    }

    /// The jobs that may begin, in their order.
    pub(super) fn lineup(&self, overtaken: &Overtaken) -> Lineup<'a> {
        let ready = self
            .queued()
            .filter(|job| self.judge(job) == Eligibility::Ready);
        Lineup::new(ready, self.time.now, overtaken)
    }
}

/// When the verdict on a queued job may change by itself, after `now`.
pub(super) fn next_change(
    job: &Job,
    eligibility: &Eligibility,
    now: Timestamp,
) -> Option<Timestamp> {
    let turn = match eligibility {
        Eligibility::Waits(
            Wait::NotBefore(begin) | Wait::Retry(begin) | Wait::Window { opens: begin, .. },
        ) => Some(*begin),
        _ => None,
    };
    let deadline = job.schedule.deadline.filter(|_| job.runs.attempts == 0);
    turn.into_iter()
        .chain(deadline)
        .filter(|change| *change > now)
        .min()
}

#[cfg(test)]
mod tests;
