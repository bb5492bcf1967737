//! What a change of a job is told as: the difference between its record and what was told of it before.

use std::collections::BTreeMap;

use framepack_ipc::event::{Event, EventName, EventType, Facts};
use framepack_jobs::{Job, JobId, JobState, StateName, Timestamp};

use crate::record::Record;

/// What was told of the jobs that have not ended.
#[derive(Debug, Default)]
pub(crate) struct ToldJobs(BTreeMap<JobId, Told>);

/// What was told of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    state: StateName,
    is_held: bool,
    /// It runs and halts.
    is_halted: bool,
    sections_done: u32,
    setbacks: Setbacks,
}

/// What counts up when a run fails and another one follows; of a job that runs, as it was when the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setbacks {
    retries: u32,
    worker_deaths: u32,
    retry_at: Option<Timestamp>,
}

impl ToldJobs {
    /// All that is known of these jobs was told.
    pub(crate) fn of<'r>(records: impl Iterator<Item = &'r Record>) -> Self {
        let unfinished = records.filter(|record| !record.job.is_finished());
        Self(
            unfinished
                .map(|record| (record.job.id, Told::of(record, None)))
                .collect(),
        )
    }

    /// A job's record is this from now on. Returns what that is told as.
    pub(crate) fn note(&mut self, record: &Record) -> Vec<Event> {
        let job = &record.job;
        let before = self.0.remove(&job.id);
        let now = Told::of(record, before.as_ref());
        if !job.is_finished() {
            self.0.insert(job.id, now);
        }
        let mut names = changes(record, before, now);
        names.dedup();
        names
            .into_iter()
            .map(|name| Event::now(EventType::Job, name, facts(name, job)))
            .collect()
    }

    /// A user removed this job. Returns what that is told as.
    pub(crate) fn removed(&mut self, job: &Job) -> Vec<Event> {
        self.forget(job.id);
        vec![Event::now(
            EventType::Job,
            EventName::Removed,
            Facts::of_job(job),
        )]
    }

    /// Nobody was told of this job.
    pub(crate) fn forget(&mut self, id: JobId) {
        self.0.remove(&id);
    }
}

impl Told {
    fn of(record: &Record, before: Option<&Self>) -> Self {
        let (job, runs) = (&record.job, &record.job.runs);
        let now = Setbacks {
            retries: runs.retries,
            worker_deaths: record.private.worker_deaths,
            retry_at: runs.retry_at,
        };
        Self {
            state: job.state.name(),
            is_held: runs.held,
            is_halted: matches!(job.state, JobState::Running { paused: true, .. }),
            sections_done: runs.sections_done,
            // What a run has come to is told at its end.
            setbacks: match before {
                Some(before) if job.is(StateName::Running) => before.setbacks,
                _ => now,
            },
        }
    }
}

/// The names of what has happened.
fn changes(record: &Record, before: Option<Told>, now: Told) -> Vec<EventName> {
    use StateName::{Cancelled, Done, Expired, Failed, Queued, Running};
    let was_held = before.is_some_and(|before| before.state == Queued && before.is_held);
    let held = (now.is_held && !was_held).then_some(EventName::Held);
    match (before, now.state) {
        (None, Queued) => [EventName::Queued].into_iter().chain(held).collect(),
        // A job that was imported, or one that has ended and whose record has more of it.
        (None, _) => Vec::new(),
        (Some(before), Queued) => match before.state {
            Running => match end_of_run(record, before, now) {
                EventName::Paused => vec![EventName::Paused],
                end => [end].into_iter().chain(held).collect(),
            },
            _ if has_failed(before, now) => vec![EventName::Retrying],
            _ => {
                let released = (was_held && !now.is_held).then_some(EventName::Released);
                held.into_iter().chain(released).collect()
            }
        },
        (Some(before), Running) if before.state != Running => vec![EventName::Started],
        (Some(before), Running) => {
            let section = (now.sections_done > before.sections_done).then_some(EventName::Section);
            let halt = match (before.is_halted, now.is_halted) {
                (false, true) => Some(EventName::Paused),
                (true, false) => Some(EventName::Resumed),
                _ => None,
            };
            section.into_iter().chain(halt).collect()
        }
        (Some(_), Done) => vec![EventName::Done],
        (Some(_), Failed) => vec![EventName::Failed],
        (Some(_), Cancelled) => vec![EventName::Cancelled],
        (Some(_), Expired) => vec![EventName::Expired],
    }
}

/// Why a job is back in the queue.
fn end_of_run(record: &Record, before: Told, now: Told) -> EventName {
    if record.job.runs.suspended_until.is_some() {
        EventName::Suspended
    } else if has_failed(before, now) {
        EventName::Retrying
    } else if now.is_held {
        EventName::Paused
    } else {
        EventName::Queued
    }
}

fn has_failed(before: Told, now: Told) -> bool {
    let (before, now) = (before.setbacks, now.setbacks);
    now.retries > before.retries
        || now.worker_deaths > before.worker_deaths
        || now.retry_at.is_some_and(|at| before.retry_at != Some(at))
}

/// What there is to say of a job with this event.
fn facts(name: EventName, job: &Job) -> Facts {
    let facts = Facts::of_job(job);
    match (name, &job.state) {
        (EventName::Started, JobState::Running { device, .. }) => Facts {
            device: Some(device.clone()),
            attempt: Some(job.runs.attempts),
            sections_done: Some(job.runs.sections_done),
            ..facts
        },
        (
            EventName::Section,
            JobState::Running {
                device, progress, ..
            },
        ) => Facts {
            device: Some(device.clone()),
            sections_done: Some(job.runs.sections_done),
            sections: progress.map(|progress| progress.sections),
            ..facts
        },
        (EventName::Retrying, _) => retrying(facts, job),
        (EventName::Suspended, _) => Facts {
            until: job.runs.suspended_until,
            ..facts
        },
        (_, JobState::Done { result, .. }) => Facts {
            device: Some(result.device.clone()),
            video: Some(result.video.clone()),
            message: job.done_all_the_same().map(str::to_owned),
            ..facts
        },
        (_, JobState::Failed { failure, .. } | JobState::Expired { failure, .. }) => {
            facts.failing(failure)
        }
        _ => facts,
    }
}

/// A worker that has died has left no failure, and the last one may be of an earlier run.
fn retrying(facts: Facts, job: &Job) -> Facts {
    let facts = Facts {
        until: job.runs.retry_at,
        attempt: Some(job.runs.attempts),
        ..facts
    };
    match &job.runs.last_failure {
        Some(failure) => facts.failing(failure),
        None => facts,
    }
}
