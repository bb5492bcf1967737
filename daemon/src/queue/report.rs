//! What a worker says about the job that it has.

use framepack_jobs::{JobId, JobState};
use tracing::{info, warn};

use super::{Queue, WorkerReport};

/// What a report is worth.
enum Persistence {
    /// It must outlive the daemon.
    Now,
    /// It is nice to have after a crash.
    WithNextCommit,
    /// It is for those who watch.
    Never,
}

impl Queue {
    /// Notes what the worker says. What a later run builds on is durable at once; of progress only the end of a section
    /// is worth a write.
    pub(super) fn report(&mut self, id: JobId, report: WorkerReport) {
        match self.note_report(id, report) {
            None => {}
            Some(Persistence::Now) => self.persist(id),
            Some(Persistence::WithNextCommit) => {
                self.put(id);
                self.announce(id);
            }
            Some(Persistence::Never) => self.announce(id),
        }
    }

    fn note_report(&mut self, id: JobId, report: WorkerReport) -> Option<Persistence> {
        let record = self.jobs.get_mut(&id)?;
        let job = &mut record.job;
        let JobState::Running {
            plan,
            progress,
            paused,
            ..
        } = &mut job.state
        else {
            return None;
        };
        Some(match report {
            WorkerReport::Started(started) => {
                *plan = Some(started);
                Persistence::WithNextCommit
            }
            WorkerReport::Progress(now) => {
                let before = progress.replace(now);
                match before {
                    Some(before) if before.section == now.section => Persistence::Never,
                    _ => Persistence::WithNextCommit,
                }
            }
            WorkerReport::Checkpoint(sections_done) => {
                if sections_done > job.runs.sections_done {
                    // It gets on, so neither its workers nor the daemon die of it.
                    record.private.worker_deaths = 0;
                    job.runs.starts_without_progress = 0;
                }
                job.runs.sections_done = sections_done;
                info!(job = %id, sections_done, "checkpoint");
                Persistence::Now
            }
            WorkerReport::Rung(taken) => {
                job.runs.rung = taken.rung;
                warn!(job = %id, rung = taken.rung, name = taken.name, "out of memory, using less: {}", taken.reason);
                Persistence::Now
            }
            WorkerReport::Paused => {
                *paused = true;
                Persistence::Now
            }
            WorkerReport::Resumed => {
                *paused = false;
                Persistence::Now
            }
        })
    }
}
