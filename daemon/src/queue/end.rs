//! The end of a run, and of a job.

use std::sync::Arc;

use framepack_ipc::control::CancelOutcome;
use framepack_jobs::{Failure, FailureClass, Job, JobId, JobState, StateName, Timestamp};
use tracing::{info, warn};

use super::{Control, Death, Ending, Queue};
use crate::{inputs, outputs::FolderError, render::clear_leftovers, spool};

/// Workers that may die under one job before it is given up.
const MAX_WORKER_DEATHS: u32 = 3;

impl Queue {
    /// Ends a run: the job has ended, or goes back into the queue.
    pub(super) fn end(&mut self, id: JobId, ending: Ending) {
        self.running.remove(&id);
        let Some(record) = self.jobs.get_mut(&id) else {
            return;
        };
        let JobState::Running { started_at, .. } = record.job.state else {
            return;
        };
        let finished_at = Timestamp::now();
        let cancelled = record.private.cancel_requested;
        let state = match ending {
            Ending::Done(result) => JobState::Done {
                started_at,
                finished_at,
                result,
            },
            Ending::Failed(failure) => JobState::Failed {
                finished_at,
                failure,
            },
            Ending::Cancelled => JobState::Cancelled { finished_at },
            Ending::WorkerDied(_) | Ending::Interrupted if cancelled => {
                JobState::Cancelled { finished_at }
            }
            Ending::WorkerDied(Death { kind, how }) => {
                record.private.worker_deaths += 1;
                warn!(job = %id, deaths = record.private.worker_deaths, ?kind, how, "its worker died");
                match record.private.worker_deaths {
                    deaths if deaths < MAX_WORKER_DEATHS => JobState::Queued,
                    _ => JobState::Failed {
                        finished_at,
                        failure: died_too_often(&how),
                    },
                }
            }
            Ending::Interrupted | Ending::Suspended => JobState::Queued,
        };
        let is_done = state.name() == StateName::Done;
        record
            .job
            .transition(state)
            .expect("a running job may take every state");
        if !is_done {
            clear_leftovers(&record.job);
        }
        self.settle(id);
    }

    /// Stops a job: at once when it is queued, at its next step when it runs. `None`: there is no such job.
    pub(super) fn cancel(&mut self, id: JobId) -> Option<(Box<Job>, CancelOutcome)> {
        let record = self.jobs.get_mut(&id)?;
        let outcome = match record.job.state.name() {
            StateName::Queued => {
                let finished_at = Timestamp::now();
                record
                    .job
                    .transition(JobState::Cancelled { finished_at })
                    .expect("a queued job may be cancelled");
                self.settle(id);
                CancelOutcome::Cancelled
            }
            StateName::Running => {
                record.private.cancel_requested = true;
                self.persist(id);
                // At once, whatever the store says: after a crash in between it merely runs again.
                self.control(id, Control::Cancel);
                CancelOutcome::Stopping
            }
            StateName::Done | StateName::Failed | StateName::Cancelled => {
                CancelOutcome::AlreadyFinished
            }
        };
        Some((Box::new(self.jobs[&id].job.clone()), outcome))
    }

    /// Tells a running job's worker what a user wants of it.
    fn control(&self, id: JobId, control: Control) {
        if let Some(running) = self.running.get(&id) {
            // Fails when the run has just ended: its ending is on the way to us.
            let _ = running.control.send(control);
        }
    }

    /// A job whose folders can't be made never reaches a worker.
    pub(super) fn fail_unprepared(&mut self, id: JobId, error: FolderError) {
        let record = self.jobs.get_mut(&id).expect("the caller has just had it");
        let failure = error.into_failure();
        let finished_at = Timestamp::now();
        record
            .job
            .transition(JobState::Failed {
                finished_at,
                failure,
            })
            .expect("a queued job may fail");
        self.settle(id);
    }

    /// Makes a job's new state durable; an ended job gives up its input and its file is put away.
    fn settle(&mut self, id: JobId) {
        self.persist(id);
        self.when_durable(move |queue| queue.settled(id));
    }

    fn settled(&self, id: JobId) {
        let Some(record) = self.jobs.get(&id) else {
            return;
        };
        let state = record.job.state.name();
        match &record.job.state {
            JobState::Failed { failure, .. } => {
                warn!(job = %id, code = failure.code, class = ?failure.class, "failed: {}", failure.message);
            }
            _ => {
                info!(job = %id, name = record.job.name, %state, output = %record.job.output.display());
            }
        }
        if state.is_finished() {
            inputs::remove(&record.private.input);
            // Fails only while the daemon stops; the next one puts the file away when it starts.
            let _ = self
                .finished
                .send(spool::Event::Finished(Arc::new(record.clone())));
        }
    }
}

fn died_too_often(how: &str) -> Failure {
    Failure {
        class: FailureClass::Internal,
        code: "FP7101".to_owned(),
        message: format!("{MAX_WORKER_DEATHS} workers died while rendering it; the last: {how}"),
        hint: Some("see the daemon's log; if memory ran out, try a smaller size.bucket".to_owned()),
    }
}
