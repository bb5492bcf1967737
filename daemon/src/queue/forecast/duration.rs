//! How long a job will take on a device.

use std::collections::HashMap;

use framepack_ipc::{
    control::WorkerStatus,
    estimate::{Estimate, Prediction},
    worker::Temperature,
};
use framepack_jobs::{Job, JobId};

use crate::{
    history::{Kind, Question, Times},
    queue::{core::Queue, schedule::Warm},
    record::Record,
};

/// How long jobs will take: those of one kind are asked for once.
#[derive(Debug)]
pub(super) struct Durations<'a> {
    queue: &'a Queue,
    known: HashMap<(Kind, String, Temperature), Result<Times, String>>,
}

impl<'a> Durations<'a> {
    pub(super) fn new(queue: &'a Queue) -> Self {
        Self {
            queue,
            known: HashMap::new(),
        }
    }

    /// How long what is left of a queued job will take on a device of this name; `Err`: why nobody knows.
    pub(super) fn of(
        &mut self,
        id: JobId,
        device: &str,
        temperature: Temperature,
    ) -> Result<Estimate, String> {
        let history = &self.queue.history;
        let record = self.queue.jobs.get(id);
        let record = record.ok_or_else(|| "it is gone".to_owned())?;
        let key = (history.kind(record), device.to_owned(), temperature);
        let known = self.known.entry(key);
        let times = known.or_insert_with_key(|(kind, device, temperature)| {
            history.times(&Question {
                kind,
                device,
                temperature: *temperature,
                work: None,
            })
        });
        let times = times.clone()?;
        Ok(times.without(done(record, &times)).estimate())
    }
}

/// How long a job would take on this worker's device if it began now.
pub(in crate::queue) fn predicted(queue: &Queue, record: &Record, device: &str) -> Prediction {
    let worker = queue.runs.workers().find(|worker| worker.device == device);
    let kind = queue.history.kind(record);
    queue.history.predict(&Question {
        kind: &kind,
        device: worker.map_or(device, name),
        temperature: temperature(queue, device, &record.job),
        work: None,
    })
}

/// What a device has loaded of what a job needs.
pub(in crate::queue) fn temperature(queue: &Queue, device: &str, job: &Job) -> Temperature {
    let worker = queue.runs.workers().find(|worker| worker.device == device);
    let has_model = queue
        .schedule
        .warm(device)
        .is_some_and(|warm| warm.has_model_of(&Warm::after(job)));
    match worker.and_then(|worker| worker.temperature) {
        Some(temperature) if has_model => temperature,
        _ => Temperature::Cold,
    }
}

/// A device's name, or its label until its worker has told it.
pub(super) fn name(worker: &WorkerStatus) -> &str {
    worker.device_name.as_deref().unwrap_or(&worker.device)
}

/// The shares of a job that earlier runs have sampled and decoded.
fn done(record: &Record, times: &Times) -> [f64; 2] {
    let share = |sections: u32| f64::from(sections) / f64::from(times.sections.max(1));
    let kept = record.private.kept;
    [share(record.job.runs.sections_done), share(kept.sections)]
}
