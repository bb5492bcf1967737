//! What a worker says about the job that it has.

use framepack_jobs::JobState;
use tracing::{info, warn};

use super::run::WorkerReport;
use crate::record::Record;

/// What a report is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queue) enum Persistence {
    /// It must outlive the daemon.
    Now,
    /// It is nice to have after a crash.
    WithNextCommit,
    /// It is for those who watch.
    Never,
}

/// How durable a report has to be: what a later run builds on at once; of progress only the end of a section is worth a
/// write.
impl Persistence {
    pub(in crate::queue) fn of(record: &Record, report: &WorkerReport) -> Self {
        match report {
            WorkerReport::Started(_) => Self::WithNextCommit,
            WorkerReport::Progress(now) => match &record.job.state {
                JobState::Running {
                    progress: Some(before),
                    ..
                } if before.section == now.section => Self::Never,
                _ => Self::WithNextCommit,
            },
            WorkerReport::Checkpoint(_)
            | WorkerReport::Kept(_)
            | WorkerReport::Rung(_)
            | WorkerReport::Paused
            | WorkerReport::Resumed => Self::Now,
        }
    }
}

/// Notes what the worker says.
pub(in crate::queue) fn note(record: &mut Record, report: WorkerReport) {
    let job = &mut record.job;
    let JobState::Running {
        plan,
        progress,
        paused,
        ..
    } = &mut job.state
    else {
        return;
    };
    match report {
        WorkerReport::Started(started) => *plan = Some(started),
        WorkerReport::Progress(now) => *progress = Some(now),
        WorkerReport::Checkpoint(sections_done) => {
            let gets_on = sections_done > job.runs.sections_done;
            job.runs.sections_done = sections_done;
            info!(job = %job.id, sections_done, "checkpoint");
            if gets_on {
                note_progress(record);
            }
        }
        WorkerReport::Kept(kept) => {
            let gets_on = kept > record.private.kept;
            record.private.kept = kept;
            if gets_on {
                note_progress(record);
            }
        }
        WorkerReport::Rung(taken) => {
            // A step gives up nothing of decoding, so that a lower rung may come after a higher one.
            job.runs.rung = job.runs.rung.max(taken.rung);
            warn!(job = %job.id, rung = taken.rung, name = taken.name, "out of memory, using less: {}", taken.reason);
        }
        WorkerReport::Paused => *paused = true,
        WorkerReport::Resumed => *paused = false,
    }
}

/// It gets on, so neither its workers nor the daemon die of it.
fn note_progress(record: &mut Record) {
    record.private.worker_deaths = 0;
    record.job.runs.starts_without_progress = 0;
}
