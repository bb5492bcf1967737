//! What becomes of a job after a run: a pure function of its record, how the run ended, and the circumstances.

use std::{collections::BTreeMap, time::Duration};

use framepack_jobs::{
    AnyCode, Class, Code, Failure, JobId, JobState, LAST_RUNG, Reach, Timestamp, settings::Setting,
};
use tracing::{debug, info, warn};

use super::{
    retry::{Decision, MAX_LOST_STARTS, MAX_WORKER_DEATHS, PriorAttempts, decide},
    run::{Death, DeathKind, Ending},
};
use crate::record::Record;

/// Pause of a job that found a disk full: the job itself may have filled it.
const PAUSE_FOR_ROOM: Duration = Duration::from_secs(30);
/// Pause of a job in whose way other programs were.
const PAUSE_FOR_OTHERS: Duration = Duration::from_secs(30);
/// What a desktop holds of a device's memory is no reason to wait.
const LEAST_FOREIGN_BYTES: u64 = 512 << 20;

/// What was measured of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::queue) struct Circumstances {
    pub(in crate::queue) now: Timestamp,
    /// What the device has taken.
    pub(in crate::queue) energy_joules: Option<f64>,
    /// What other programs hold of the device's memory.
    pub(in crate::queue) foreign_bytes: Option<u64>,
}

/// The job's next state. `None`: it does not run.
pub(in crate::queue) fn after_run(
    record: &mut Record,
    ending: Ending,
    circumstances: Circumstances,
) -> Option<JobState> {
    let Circumstances {
        now,
        energy_joules,
        foreign_bytes,
    } = circumstances;
    let in_the_way = foreign_bytes.filter(|bytes| is_in_the_way(record, &ending, *bytes));
    let JobState::Running { started_at, .. } = record.job.state else {
        return None;
    };
    if let Some(joules) = energy_joules {
        *record.job.runs.energy_joules.get_or_insert_default() += joules;
    }
    // It ended under a living daemon.
    let starts = &mut record.job.runs.starts_without_progress;
    *starts = starts.saturating_sub(1);
    Some(match ending {
        Ending::Done(result) => {
            note_inactive(&mut record.job.runs.settings, &result.inactive);
            if result.partial.is_some() {
                JobState::Cancelled {
                    finished_at: now,
                    result: Some(result),
                }
            } else {
                JobState::Done {
                    started_at,
                    finished_at: now,
                    result,
                }
            }
        }
        Ending::Cancelled => JobState::cancelled(now),
        Ending::Failed(failure) if record.private.cancel_requested && reach(&failure).is_none() => {
            JobState::Failed {
                finished_at: now,
                failure,
            }
        }
        _ if record.private.cancel_requested => JobState::cancelled(now),
        Ending::Failed(failure) if reach(&failure).is_some() => wait_for_farm(record, &failure),
        Ending::Failed(failure) if failure.code == Code::DISK_FULL_MIDWAY => {
            wait_for_room(record, failure, now)
        }
        Ending::Failed(failure) => match in_the_way {
            Some(foreign_bytes) => wait_for_others(record, failure, foreign_bytes, now),
            None => again_or_failed(record, failure, now),
        },
        Ending::WorkerDied(death) => after_death(record, death, now),
        Ending::Interrupted | Ending::Suspended if is_to_end_without(record) => {
            JobState::cancelled(now)
        }
        Ending::Interrupted | Ending::Suspended => JobState::Queued,
    })
}

/// Whether a user wants what the job has, and it has nothing.
fn is_to_end_without(record: &Record) -> bool {
    let runs = &record.job.runs;
    runs.keep_sections && runs.sections_done == 0
}

/// Notes what of the settings did nothing in a run, as the worker found.
fn note_inactive(settings: &mut [Setting], inactive: &BTreeMap<String, String>) {
    for setting in settings {
        if let Some(reason) = inactive.get(&setting.key) {
            setting.inactive = Some(reason.clone());
        }
    }
}

/// Whom a failure keeps from working, if the farm is at fault and the next job would meet the same.
pub(in crate::queue) fn reach(failure: &Failure) -> Option<Reach> {
    match &failure.code {
        AnyCode::Known(code) => code.outage(),
        AnyCode::Other(_) => None,
    }
}

/// The job goes back to where it was, as if it had not begun.
fn wait_for_farm(record: &mut Record, failure: &Failure) -> JobState {
    let (runs, private) = (&mut record.job.runs, &mut record.private);
    debug!(job = %record.job.id, code = %failure.code, "the farm is at fault, and the job waits: {}", failure.message);
    runs.attempts = runs.attempts.saturating_sub(1);
    // A worker that had mapped what is gone died of that.
    private.worker_deaths = private.worker_deaths.saturating_sub(1);
    JobState::Queued
}

/// The state of a job that was running when the last daemon ended: queued, or given up.
pub(in crate::queue) fn lost(record: &Record, now: Timestamp) -> JobState {
    let job = &record.job;
    let state = if record.private.cancel_requested || is_to_end_without(record) {
        JobState::cancelled(now)
    } else if job.runs.starts_without_progress >= MAX_LOST_STARTS {
        JobState::Failed {
            finished_at: now,
            failure: lost_too_often(job.id),
        }
    } else {
        JobState::Queued
    };
    info!(job = %job.id, attempts = job.runs.attempts, state = %state.name(), "was running when the last daemon ended");
    state
}

/// The state after a failure: queued, when another attempt may help.
pub(in crate::queue) fn again_or_failed(
    record: &mut Record,
    failure: Failure,
    now: Timestamp,
) -> JobState {
    let (job, private) = (&mut record.job, &mut record.private);
    let tried = PriorAttempts {
        retries: job.runs.retries,
        precaution: private.precaution,
    };
    match decide(failure.class, &job.schedule.retry, tried) {
        Decision::GiveUp => JobState::Failed {
            finished_at: now,
            failure,
        },
        Decision::Again { pause, precaution } => {
            job.runs.retries += 1;
            warn!(
                job = %job.id, code = %failure.code, retry = job.runs.retries, pause_secs = pause.as_secs(), ?precaution,
                "will be retried: {}", failure.message
            );
            private.precaution = precaution;
            job.runs.retry_at = (!pause.is_zero()).then(|| now.plus(pause));
            job.runs.last_failure = Some(failure);
            JobState::Queued
        }
    }
}

/// Whether other programs are to blame that a job found too little memory on its device to begin.
fn is_in_the_way(record: &Record, ending: &Ending, foreign_bytes: u64) -> bool {
    let Ending::Failed(failure) = ending else {
        return false;
    };
    let JobState::Running { progress, .. } = &record.job.state else {
        return false;
    };
    // After a step it is the ladder's business, and a run that is repeated costs hours.
    let has_begun = progress.is_some_and(|progress| (progress.section, progress.step) != (0, 0));
    let is_of_device = failure.class == Class::Oom && failure.code != Code::HOST_OUT_OF_MEMORY;
    is_of_device && !has_begun && foreign_bytes >= LEAST_FOREIGN_BYTES
}

/// The job waits for other programs; that does not count as a retry.
fn wait_for_others(
    record: &mut Record,
    failure: Failure,
    foreign_bytes: u64,
    now: Timestamp,
) -> JobState {
    let mib = foreign_bytes >> 20;
    let message = format!(
        "{}; other programs hold {mib} MiB of the device's memory: waiting for them",
        failure.message
    );
    warn!(job = %record.job.id, code = %failure.code, vram_foreign_mib = mib, "{message}");
    record.job.runs.retry_at = Some(now.plus(PAUSE_FOR_OTHERS));
    record.job.runs.last_failure = Some(Failure { message, ..failure });
    JobState::Queued
}

/// The state after a full disk: queued, and no retry of the few that a job has. It goes on after the sections that it
/// has, once there is room for it.
fn wait_for_room(record: &mut Record, failure: Failure, now: Timestamp) -> JobState {
    warn!(job = %record.job.id, code = %failure.code, "waiting for disk space: {}", failure.message);
    record.job.runs.retry_at = Some(now.plus(PAUSE_FOR_ROOM));
    record.job.runs.last_failure = Some(failure);
    JobState::Queued
}

/// The state after a worker has died: queued, until it has happened too often.
fn after_death(record: &mut Record, death: Death, now: Timestamp) -> JobState {
    let Death { kind, how } = death;
    let deaths = &mut record.private.worker_deaths;
    *deaths += 1;
    warn!(job = %record.job.id, deaths, ?kind, how, "its worker died");
    if kind == DeathKind::OutOfMemoryKill {
        use_less_memory(record);
    }
    if record.private.worker_deaths >= MAX_WORKER_DEATHS {
        return JobState::Failed {
            finished_at: now,
            failure: died_too_often(record.job.id, &how),
        };
    }
    match failure_of(kind, &how) {
        Some(failure) => again_or_failed(record, failure, now),
        None => JobState::Queued,
    }
}

/// The next run starts a rung lower, since on a processor the host's memory is the device's, and with less page-locked
/// memory, since lower rungs stream more of a model from it.
fn use_less_memory(record: &mut Record) {
    record.private.host_rung += 1;
    let rung = &mut record.job.runs.rung;
    *rung = LAST_RUNG.min(*rung + 1);
    warn!(job = %record.job.id, rung, "killed for want of memory: the next run uses less");
}

/// A death that has a code of its own. A crash has none: the worker may have crashed of anything.
fn failure_of(kind: DeathKind, how: &str) -> Option<Failure> {
    let code = match kind {
        DeathKind::Crash | DeathKind::LostFile => return None,
        DeathKind::Hang => Code::WORKER_HUNG,
        DeathKind::OutOfMemoryKill => Code::WORKER_OOM_KILLED,
    };
    Some(Failure::new(code, how))
}

fn died_too_often(id: JobId, how: &str) -> Failure {
    let message = format!(
        "{MAX_WORKER_DEATHS} workers died while rendering it, without finishing a section in between; the last one: {how}"
    );
    Failure::new(Code::WORKERS_DIED, message).naming(id)
}

fn lost_too_often(id: JobId) -> Failure {
    let message = format!(
        "the daemon died {MAX_LOST_STARTS} times while rendering it, without finishing a section in between"
    );
    Failure::new(Code::DAEMON_DIED, message).naming(id)
}

#[cfg(test)]
mod tests;
