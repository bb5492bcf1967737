//! Whether a queued job may begin: a pure function of the jobs, the time and what is paused.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use framepack_jobs::{Dependency, Failure, Job, JobId, Model, StateName, Timestamp, Window};

use super::{
    dependencies::Dependencies,
    lineup::{Lineup, Overtaken},
    local_time::LocalTime,
    outage::Outages,
    silence::Silence,
};
use crate::record::Record;

/// Longest pause between two attempts that a job file can ask for.
const LONGEST_RETRY: Duration = Duration::from_hours(24);

/// What is looked at.
#[derive(Debug)]
pub(in crate::queue) struct SchedulingContext<'a> {
    jobs: &'a BTreeMap<JobId, Record>,
    queued: &'a BTreeSet<JobId>,
    dependencies: Dependencies<'a>,
    paused_groups: Option<&'a BTreeSet<String>>,
    silent: Option<&'a Silence>,
    outages: Option<&'a Outages>,
    time: LocalTime,
}

/// Whether a queued job may begin.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::queue) enum Eligibility {
    Ready,
    Waits(Wait),
    /// Its deadline has passed and it has never begun.
    Expired,
    /// It never may.
    Fails(Failure),
}

/// What a queued job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::queue) enum Wait {
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
    /// A share that it needs does not answer.
    Share(PathBuf),
    /// Its model can't be used.
    Outage(Failure),
}

impl<'a> SchedulingContext<'a> {
    pub(in crate::queue) fn new(
        jobs: &'a BTreeMap<JobId, Record>,
        queued: &'a BTreeSet<JobId>,
        time: LocalTime,
    ) -> Self {
        Self {
            jobs,
            queued,
            dependencies: Dependencies::of(jobs, queued),
            paused_groups: None,
            silent: None,
            outages: None,
            time,
        }
    }

    /// Jobs of these groups are paused.
    pub(in crate::queue) fn with_paused(self, groups: &'a BTreeSet<String>) -> Self {
        let paused_groups = Some(groups);
        Self {
            paused_groups,
            ..self
        }
    }

    /// Jobs wait for shares that do not answer.
    pub(super) fn with_silent(self, silence: &'a Silence) -> Self {
        let silent = Some(silence);
        Self { silent, ..self }
    }

    /// Jobs wait for models that can't be used.
    pub(super) fn with_outages(self, outages: &'a Outages) -> Self {
        let outages = Some(outages);
        Self { outages, ..self }
    }

    /// The jobs that wait, in the order of their numbers.
    pub(in crate::queue) fn queued(&self) -> impl Iterator<Item = &'a Job> + use<'a> {
        let jobs = self.jobs;
        self.queued.iter().map(|id| &jobs[id].job)
    }

    /// The time at which it is looked.
    pub(in crate::queue) fn now(&self) -> Timestamp {
        self.time.now
    }

    /// So many seconds later.
    pub(in crate::queue) fn after(&self, secs: f64) -> Timestamp {
        let secs = Duration::try_from_secs_f64(secs).unwrap_or_default();
        self.time.now.plus(secs)
    }

    /// Whether a window is open then.
    pub(in crate::queue) fn is_open(&self, window: Window, at: Timestamp) -> bool {
        self.time.at(at).is_in(window)
    }

    /// When a window opens that is closed then.
    pub(in crate::queue) fn opens(&self, window: Window, at: Timestamp) -> Timestamp {
        self.time.at(at).opens(window)
    }

    /// The jobs that a queued job waits for; `None`: one of them does not exist yet.
    pub(in crate::queue) fn waits_for(&self, job: &Job) -> Option<Vec<JobId>> {
        self.dependencies.not_done(job)
    }

    /// What may be taken for the time where nothing can be taken back.
    pub(super) fn sure(&self) -> Timestamp {
        self.time.sure
    }

    /// Whether a queued job may begin.
    pub(in crate::queue) fn judge(&self, job: &Job) -> Eligibility {
        let now = self.time.now;
        let schedule = &job.schedule;
        // One that is only to end with the sections that it has waits for nothing that its file asks for.
        if job.runs.keep_sections {
            return match self.retry_at(job) {
                Some(begin) => Eligibility::Waits(Wait::Retry(begin)),
                None => self.judge_farm(job),
            };
        }
        if job.runs.attempts == 0
            && schedule
                .deadline
                .is_some_and(|deadline| deadline <= self.time.sure)
        {
            return Eligibility::Expired;
        }
        let missing = match self.dependencies.of_job(job) {
            Ok(missing) => missing,
            Err(failure) => return Eligibility::Fails(failure),
        };
        if job.runs.held {
            return Eligibility::Waits(Wait::Held);
        }
        let is_paused = |group: &&String| {
            self.paused_groups
                .is_some_and(|paused| paused.contains(*group))
        };
        if let Some(group) = schedule.group.as_ref().filter(is_paused) {
            return Eligibility::Waits(Wait::GroupPaused(group.clone()));
        }
        if let Some((dependency, found)) = missing {
            return Eligibility::Waits(Wait::After(dependency, found));
        }
        if let Some(begin) = schedule.not_before.filter(|begin| *begin > now) {
            return Eligibility::Waits(Wait::NotBefore(begin));
        }
        if let Some(begin) = self.retry_at(job) {
            return Eligibility::Waits(Wait::Retry(begin));
        }
        let closed = |window: &Window| !self.time.is_in(*window);
        if let Some(window) = schedule.window.filter(closed) {
            let opens = self.time.opens(window);
            return Eligibility::Waits(Wait::Window { window, opens });
        }
        self.judge_farm(job)
    }

    /// When the pause after a failure ends. None is longer than the longest: the clock was set back since.
    fn retry_at(&self, job: &Job) -> Option<Timestamp> {
        let now = self.time.now;
        let is_pause = |begin: &Timestamp| *begin > now && *begin <= now.plus(LONGEST_RETRY);
        job.runs.retry_at.filter(is_pause)
    }

    /// Whether the farm lets a job begin that its own schedule does not keep from it.
    fn judge_farm(&self, job: &Job) -> Eligibility {
        if let Some(share) = self.silent.and_then(|silence| silence.of(job)) {
            return Eligibility::Waits(Wait::Share(share.to_owned()));
        }
        match self.outages.and_then(|outages| outages.of(job)) {
            Some(failure) => Eligibility::Waits(Wait::Outage(failure.clone())),
            None => Eligibility::Ready,
        }
    }

    /// The models of the jobs that may begin.
    pub(super) fn models(&self) -> BTreeSet<Model> {
        let ready = self
            .queued()
            .filter(|job| self.judge(job) == Eligibility::Ready);
        ready.map(Job::rendered_model).collect()
    }

    /// From now on the job counts as one that has ended without a video.
    pub(in crate::queue) fn doom(&mut self, job: JobId, state: StateName) {
        self.dependencies.doom(job, state);
    }

    pub(in crate::queue) fn is_doomed(&self, job: JobId) -> bool {
        self.dependencies.is_doomed(job)
    }

    /// The queued jobs that wait for themselves, or for such a job: they would wait for ever.
    pub(in crate::queue) fn waiting_for_themselves(&self) -> Vec<JobId> {
        self.dependencies.waiting_for_themselves(self.queued)
    }

    /// The jobs that may begin, in their order, but for those of `others`.
    pub(in crate::queue) fn lineup(
        &self,
        overtaken: &Overtaken,
        others: &BTreeSet<JobId>,
    ) -> Lineup<'a> {
        let ready = self
            .queued()
            .filter(|job| !others.contains(&job.id) && self.judge(job) == Eligibility::Ready);
        Lineup::new(ready, self.time.now, overtaken)
    }
}

/// When the verdict on a queued job may change by itself: after `now`, or of its deadline after what is `sure`.
pub(in crate::queue) fn next_change(
    job: &Job,
    eligibility: &Eligibility,
    [now, sure]: [Timestamp; 2],
) -> Option<Timestamp> {
    let turn = match eligibility {
        Eligibility::Waits(
            Wait::NotBefore(begin) | Wait::Retry(begin) | Wait::Window { opens: begin, .. },
        ) => Some(*begin),
        _ => None,
    };
    let turn = turn.filter(|turn| *turn > now);
    let deadline = job.schedule.deadline;
    let deadline = deadline.filter(|deadline| job.runs.attempts == 0 && *deadline > sure);
    turn.into_iter().chain(deadline).min()
}
