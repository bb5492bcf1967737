//! What a run owes to its GPU and those who use it, too: its energy, and patience.
//!
//! A job that finds too little memory because other programs use its device waits for them, and is not failed.

use std::time::Duration;

use framepack_jobs::{Class, Failure, JobId, JobState, Timestamp};
use tracing::warn;

use super::{Ending, Queue};
use crate::{gpu::Gpus, record::Record};

/// What a desktop holds is no reason to wait.
const LEAST_BYTES: u64 = 512 << 20;
/// Time until the job is tried again.
const PAUSE: Duration = Duration::from_secs(30);

impl Queue {
    /// Jobs yield to those who use these GPUs, too.
    pub(crate) fn yielding_to(mut self, gpus: Gpus) -> Self {
        self.gpus = gpus;
        self
    }

    /// What a running job's device has taken of energy since the run began; of a GPU that others use, too, it is theirs
    /// as well.
    pub(super) fn energy_of_run(&self, id: JobId) -> Option<f64> {
        let before = self.running.get(&id)?.energy_joules?;
        let JobState::Running { device, .. } = &self.jobs.get(&id)?.job.state else {
            return None;
        };
        Some((self.gpus.of_device(device)?.energy_joules? - before).max(0.0))
    }

    /// Bytes that other programs hold of the device on which a job found too little memory to begin; `None`: it is not their
    /// doing.
    pub(super) fn in_the_way(&self, id: JobId, ending: &Ending) -> Option<u64> {
        let Ending::Failed(failure) = ending else {
            return None;
        };
        let JobState::Running {
            device, progress, ..
        } = &self.jobs.get(&id)?.job.state
        else {
            return None;
        };
        // After a step it is the ladder's business, and a run that is repeated costs hours.
        if progress.is_some_and(|progress| (progress.section, progress.step) != (0, 0)) {
            return None;
        }
        let foreign = || self.gpus.of_device(device)?.foreign_bytes;
        let is_want_of_memory = failure.class == Class::Oom;
        is_want_of_memory
            .then(foreign)?
            .filter(|bytes| *bytes >= LEAST_BYTES)
    }
}

/// Puts the job back into the queue; that does not count as a retry.
pub(super) fn wait(record: &mut Record, failure: Failure, foreign_bytes: u64) -> JobState {
    let mib = foreign_bytes >> 20;
    let message = format!(
        "{}; other programs hold {mib} MiB of the device's memory: waiting for them",
        failure.message
    );
    warn!(job = %record.job.id, code = %failure.code, vram_foreign_mib = mib, "{message}");
    record.job.runs.retry_at = Some(Timestamp::now().plus(PAUSE));
    record.job.runs.last_failure = Some(Failure { message, ..failure });
    JobState::Queued
}
