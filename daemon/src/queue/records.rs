//! Whole records out of the queue and into it: export and import.

use std::ops::Bound;

use framepack_ipc::state::Imported;
use framepack_jobs::{JobId, JobState, StateName};

use serde_json::Value;

use super::Queue;
use crate::{record::Record, store::StoreError};

/// The record of an export's line.
pub(crate) fn exported(line: Value) -> Result<Record, Imported> {
    serde_json::from_value(line).map_err(|error| Imported::Refused {
        message: format!("not a record: {error}"),
    })
}

impl Queue {
    /// At most so many records with numbers behind `after`.
    pub(super) fn records_after(&self, after: JobId, limit: usize) -> Vec<Record> {
        self.jobs
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(limit)
            .map(|(_, record)| record.clone())
            .collect()
    }

    /// Takes an export's lines while nobody serves the queue; durable when this returns.
    pub(crate) async fn import_all(
        &mut self,
        lines: Vec<Value>,
    ) -> Result<Vec<Imported>, StoreError> {
        let taken = lines.into_iter().map(|line| match exported(line) {
            Ok(record) => self.import(record),
            Err(refused) => refused,
        });
        let taken = taken.collect();
        self.store.commit().await?;
        Ok(taken)
    }

    /// Takes an exported record, unless the job is there already: by key and time of its acceptance.
    pub(super) fn import(&mut self, mut record: Record) -> Imported {
        if let Some(job) = self.twin(&record) {
            return Imported::Known { job };
        }
        if record.job.is(StateName::Running) {
            record
                .job
                .transition(JobState::Queued)
                .expect("a running job may be queued");
        }
        if let Err(message) = self.is_welcome(&record) {
            return Imported::Refused { message };
        }
        if record.job.id == JobId(0) || self.jobs.contains_key(&record.job.id) {
            record.job.id = JobId(self.last_id.0 + 1);
        }
        let job = record.job.id;
        self.last_id = self.last_id.max(job);
        self.jobs.insert(job, record);
        self.persist(job);
        self.scheduler.may_begin = true;
        Imported::Added { job }
    }

    /// The same job under whatever number.
    fn twin(&self, record: &Record) -> Option<JobId> {
        let is_same = |other: &Record| {
            other.job.key == record.job.key && other.job.submitted_at == record.job.submitted_at
        };
        self.index.by_key(&record.job.key)?;
        let mut all = self.jobs.values();
        all.find(|other| is_same(other)).map(|other| other.job.id)
    }

    /// Whether a job that has not ended can run here.
    fn is_welcome(&self, record: &Record) -> Result<(), String> {
        let (job, input) = (&record.job, &record.private.input);
        if job.id > JobId::HIGHEST {
            return Err(format!("job {}: not a valid job number", job.id));
        }
        if job.is_finished() {
            return Ok(());
        }
        if !input.is_file() {
            return Err(format!(
                "job {}: the copy of its image is missing at {}: submit it again",
                job.id,
                input.display()
            ));
        }
        if self.index.is_reserved(&job.output) {
            return Err(format!(
                "job {}: another job writes to {}",
                job.id,
                job.output.display()
            ));
        }
        Ok(())
    }
}
