//! The end of a run, and of a job.

use std::{sync::Arc, time::Duration};

use framepack_jobs::{Class, Code, Failure, Job, JobId, JobState, StateName, Timestamp};
use tracing::{info, warn};

use super::{
    Control, Death, DeathKind, Ending, Queue,
    retry::{Decision, MAX_LOST_STARTS, MAX_WORKER_DEATHS, PriorAttempts, decide},
    yielding,
};
use crate::{inputs, outputs::FolderError, record::Record, render::clear_leftovers, spool};

/// How long a failed job's image and sections are kept, for a user to have it tried again.
const KEPT_FOR_RETRY: Duration = Duration::from_hours(7 * 24);

/// Pause of a job that found a disk full: the job itself may have filled it.
const PAUSE_FOR_ROOM: Duration = Duration::from_secs(30);

impl Queue {
    /// Ends a run: the job has ended, or goes back into the queue.
    pub(super) fn end(&mut self, id: JobId, ending: Ending) {
        let energy_joules = self.energy_of_run(id);
        self.running.remove(&id);
        let in_the_way = self.in_the_way(id, &ending);
        let Some(record) = self.jobs.get_mut(&id) else {
            return;
        };
        let JobState::Running { started_at, .. } = record.job.state else {
            return;
        };
        if let Some(joules) = energy_joules {
            *record.job.runs.energy_joules.get_or_insert_default() += joules;
        }
        // It ended under a living daemon.
        let starts = &mut record.job.runs.starts_without_progress;
        *starts = starts.saturating_sub(1);
        let finished_at = Timestamp::now();
        let state = match ending {
            Ending::Done(result) => JobState::Done {
                started_at,
                finished_at,
                result,
            },
            Ending::Cancelled => JobState::Cancelled { finished_at },
            Ending::Failed(failure) if record.private.cancel_requested => JobState::Failed {
                finished_at,
                failure,
            },
            _ if record.private.cancel_requested => JobState::Cancelled { finished_at },
            Ending::Failed(failure) if failure.code == Code::DISK_FULL_MIDWAY => {
                wait_for_room(record, failure)
            }
            Ending::Failed(failure) => match in_the_way {
                Some(foreign_bytes) => yielding::wait(record, failure, foreign_bytes),
                None => again_or_failed(record, failure, finished_at),
            },
            Ending::WorkerDied(death) => after_death(record, death, finished_at),
            Ending::Interrupted | Ending::Suspended => JobState::Queued,
        };
        self.finish(id, state);
    }

    /// After a crash of the daemon: a job that was running is queued again, or given up.
    pub(super) fn end_lost(&mut self, id: JobId) {
        let job = &self.jobs[&id].job;
        let finished_at = Timestamp::now();
        let state = if self.jobs[&id].private.cancel_requested {
            JobState::Cancelled { finished_at }
        } else if job.runs.starts_without_progress >= MAX_LOST_STARTS {
            JobState::Failed {
                finished_at,
                failure: lost_too_often(id),
            }
        } else {
            JobState::Queued
        };
        info!(job = %id, attempts = job.runs.attempts, state = %state.name(), "was running when the last daemon ended");
        self.finish(id, state);
    }

    /// Tells a running job's worker what a user wants of it.
    pub(super) fn control(&self, id: JobId, control: Control) {
        if let Some(running) = self.running.get(&id) {
            // Fails when the run has just ended: its ending is on the way to us.
            let _ = running.control.send(control);
        }
    }

    /// A job whose folders can't be made does not reach a worker.
    pub(super) fn fail_unprepared(&mut self, id: JobId, error: FolderError) {
        let record = self.jobs.get_mut(&id).expect("the caller has just had it");
        let failure = error.into_failure();
        match again_or_failed(record, failure, Timestamp::now()) {
            // It is queued already.
            JobState::Queued => self.persist(id),
            state => self.finish(id, state),
        }
        self.scheduler.look_again();
    }

    /// Gives a job its next state and makes that durable; one that has ended gives up what it needed, and its file is
    /// put away.
    pub(super) fn finish(&mut self, id: JobId, state: JobState) {
        let record = self.jobs.get_mut(&id).expect("jobs are never removed");
        let name = state.name();
        if name != StateName::Done {
            clear_leftovers(&record.job);
        }
        record
            .job
            .transition(state)
            .expect("a queued or running job may take each state that the queue gives it");
        self.scheduler.look_again();
        self.persist(id);
        self.when_durable(move |queue| queue.settled(id));
    }

    fn settled(&mut self, id: JobId) {
        let Some(record) = self.jobs.get(&id) else {
            return;
        };
        let state = record.job.state.name();
        match &record.job.state {
            JobState::Failed { failure, .. } => {
                warn!(job = %id, code = %failure.code, class = ?failure.class, "failed: {}", failure.message);
            }
            _ => {
                info!(job = %id, name = record.job.name, %state, output = %record.job.output.display());
            }
        }
        if state.is_finished() {
            self.scheduler.overtaken.remove(&id);
            self.renderer.release(&record.job);
            if !is_kept(&record.job, Timestamp::now()) {
                inputs::remove(&record.private.input);
                self.renderer.clear_checkpoints(id);
            }
            // Fails only while the daemon stops; the next one files it when it starts.
            let _ = self
                .finished
                .send(spool::Event::Finished(Arc::new(record.clone())));
        }
    }
}

/// Whether a job needs its image and its sections: it has not ended, or a user may have it tried again.
pub(crate) fn is_kept(job: &Job, now: Timestamp) -> bool {
    match &job.state {
        JobState::Queued | JobState::Running { .. } => true,
        JobState::Failed {
            finished_at,
            failure,
        } => {
            failure.class != Class::Input
                && now.secs_since(*finished_at) < KEPT_FOR_RETRY.as_secs_f64()
        }
        JobState::Done { .. } | JobState::Cancelled { .. } | JobState::Expired { .. } => false,
    }
}

/// The state after a full disk: queued, and no retry of the few that a job has. It goes on after the sections that it
/// has, once there is room for it.
fn wait_for_room(record: &mut Record, failure: Failure) -> JobState {
    warn!(job = %record.job.id, code = %failure.code, "waiting for disk space: {}", failure.message);
    record.job.runs.retry_at = Some(Timestamp::now().plus(PAUSE_FOR_ROOM));
    record.job.runs.last_failure = Some(failure);
    JobState::Queued
}

/// The state after a failure: queued, when another attempt may help.
fn again_or_failed(record: &mut Record, failure: Failure, now: Timestamp) -> JobState {
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

/// The state after a worker has died: queued, until it has happened too often.
fn after_death(record: &mut Record, death: Death, now: Timestamp) -> JobState {
    let Death { kind, how } = death;
    let deaths = &mut record.private.worker_deaths;
    *deaths += 1;
    warn!(job = %record.job.id, deaths, ?kind, how, "its worker died");
    if *deaths >= MAX_WORKER_DEATHS {
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

/// A death that has a code of its own. A crash has none: the worker may have crashed of anything.
fn failure_of(kind: DeathKind, how: &str) -> Option<Failure> {
    let code = match kind {
        DeathKind::Crash => return None,
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
