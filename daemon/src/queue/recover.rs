//! What a new daemon finds: jobs that were running, and what those that have ended did not clear away.

use std::{collections::HashSet, path::Path};

use framepack_jobs::{Job, JobId, StateName, Timestamp};
use tracing::error;

use super::{Queue, is_kept};
use crate::{inputs::Inputs, store::StoreError};

impl Queue {
    /// After a crash: every running job is queued again, its half-written video removed; what only jobs that have
    /// ended for good needed is removed, too.
    pub(super) async fn recover(&mut self, inputs: &Inputs) -> Result<(), StoreError> {
        let interrupted: Vec<JobId> = self
            .jobs
            .values()
            .filter(|record| record.job.is(StateName::Running))
            .map(|record| record.job.id)
            .collect();
        for id in interrupted {
            self.end_lost(id);
        }
        self.store.commit().await?;
        let now = Timestamp::now();
        let (kept, ended): (Vec<_>, Vec<_>) =
            (self.jobs.values()).partition(|record| is_kept(&record.job, now));
        // The daemon may have died after a job's end was durable and before its sections were removed.
        for record in &ended {
            self.renderer.clear_checkpoints(record.job.id);
        }
        let finished: Vec<&Job> = (self.jobs.values())
            .map(|record| &record.job)
            .filter(|job| job.is_finished())
            .collect();
        self.renderer.release_all(&finished);
        let needed: HashSet<&Path> = kept
            .iter()
            .map(|record| record.private.input.as_path())
            .collect();
        if let Err(error) = inputs.keep_only(&needed) {
            error!(%error, "removing start images that no job needs");
        }
        Ok(())
    }
}
