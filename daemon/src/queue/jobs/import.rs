//! Records of another store, as `state export` writes them.

use framepack_ipc::state::Imported;
use framepack_jobs::{JobId, JobState, StateName};
use serde_json::Value;

use super::table::Jobs;
use crate::record::Record;

/// The record of an export's line.
pub(crate) fn exported(line: Value) -> Result<Record, Imported> {
    serde_json::from_value(line).map_err(|error| Imported::Refused {
        message: format!("not a record: {error}"),
    })
}

/// Takes an exported record, unless the job is there already: by key and time of its acceptance. `has_image`: its copy
/// of the start image is there.
pub(in crate::queue) fn import(jobs: &mut Jobs, mut record: Record, has_image: bool) -> Imported {
    if let Some(job) = twin(jobs, &record) {
        return Imported::Known { job };
    }
    if record.job.is(StateName::Running) {
        record
            .job
            .transition(JobState::Queued)
            .expect("a running job may be queued");
    }
    if let Err(message) = is_welcome(jobs, &record, has_image) {
        return Imported::Refused { message };
    }
    let is_free = record.job.id != JobId(0) && jobs.get(record.job.id).is_none();
    let added = if is_free {
        jobs.insert(record)
    } else {
        jobs.add(|id| {
            record.job.id = id;
            record
        })
    };
    Imported::Added { job: added.job.id }
}

/// The same job under whatever number.
fn twin(jobs: &Jobs, record: &Record) -> Option<JobId> {
    let is_same = |other: &Record| {
        other.job.key == record.job.key && other.job.submitted_at == record.job.submitted_at
    };
    jobs.by_key(&record.job.key)?;
    let mut all = jobs.all().values();
    all.find(|other| is_same(other)).map(|other| other.job.id)
}

/// Whether a job that has not ended can run here.
fn is_welcome(jobs: &Jobs, record: &Record, has_image: bool) -> Result<(), String> {
    let (job, input) = (&record.job, &record.private.input);
    if job.id > JobId::HIGHEST {
        return Err(format!("job {}: not a valid job number", job.id));
    }
    if job.is_finished() {
        return Ok(());
    }
    if !has_image {
        return Err(format!(
            "job {}: the copy of its image is missing at {}: submit it again",
            job.id,
            input.display()
        ));
    }
    if jobs.is_reserved(&job.output) {
        return Err(format!(
            "job {}: another job writes to {}",
            job.id,
            job.output.display()
        ));
    }
    Ok(())
}
