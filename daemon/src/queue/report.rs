//! What a worker says about the job that it has.

use framepack_jobs::{JobId, JobState};
use tracing::{info, warn};

use super::{Queue, Report};

/// What a report is worth.
enum Worth {
    /// It must outlive the daemon.
    Keeping,
    /// It is nice to have after a crash.
    Writing,
    /// It is for those who watch.
    Telling,
}

impl Queue {
    /// Notes what the worker says. What a later run builds on is durable at once; of progress only the end of a section
    /// is worth a write.
    pub(super) fn report(&mut self, id: JobId, report: Report) {
        match self.note_report(id, report) {
            None => {}
            Some(Worth::Keeping) => self.persist(id),
            Some(Worth::Writing) => {
                self.put(id);
                self.announce(id);
            }
            Some(Worth::Telling) => self.announce(id),
        }
    }

    fn note_report(&mut self, id: JobId, report: Report) -> Option<Worth> {
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
            Report::Started(started) => {
                *plan = Some(started);
                Worth::Writing
            }
            Report::Progress(now) => {
                let before = progress.replace(now);
                match before {
                    Some(before) if before.section == now.section => Worth::Telling,
                    _ => Worth::Writing,
                }
            }
            Report::Checkpoint(sections_done) => {
                if sections_done > job.runs.sections_done {
                    // It gets on, so neither its workers nor the daemon die of it.
                    record.private.worker_deaths = 0;
                    job.runs.starts_without_progress = 0;
                }
                job.runs.sections_done = sections_done;
                info!(job = %id, sections_done, "checkpoint");
                Worth::Keeping
            }
            Report::Rung(taken) => {
                job.runs.rung = taken.rung;
                warn!(job = %id, rung = taken.rung, name = taken.name, "short of memory: {}", taken.reason);
                Worth::Keeping
            }
            Report::Paused => {
                *paused = true;
                Worth::Keeping
            }
            Report::Resumed => {
                *paused = false;
                Worth::Keeping
            }
        })
    }
}
