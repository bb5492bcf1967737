//! `status` and `top`: the farm at a glance.

use std::time::Duration;

use framepack_ipc::{
    ErrorEnvelope,
    control::{Note, Response, WorkerStatus},
    estimate::{Estimate, Moment},
    farm::{DeviceStatus, FarmStatus, RunningJob},
};
use framepack_jobs::{Code, Job, JobState, Timestamp};

use super::{health::degraded, service::Service};
use crate::{
    farm::host_memory,
    queue::{Glance, Recent},
};

/// Failures that are told, and how old they may be.
const FAILURES: usize = 5;
const FAILURES_WITHIN: Duration = Duration::from_hours(24);

pub(super) async fn farm(service: &Service) -> Result<Response, ErrorEnvelope> {
    let recent = Recent {
        since: Timestamp::now().minus(FAILURES_WITHIN),
        at_most: FAILURES,
    };
    let glance = service.queue.glance(recent).await?;
    service.spaces.refresh().await;
    service.metrics.gpus.refresh_later();
    let summary = &glance.summary;
    let full = summary.disk_full.clone().or_else(|| no_room(service));
    let devices = glance.workers.iter();
    let running = summary.running.iter();
    let uptime = service.started.elapsed();
    Ok(Response::Farm(Box::new(FarmStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up_since: Timestamp::now().minus(uptime),
        uptime_secs: uptime.as_secs_f64(),
        paused: summary.paused.clone(),
        degraded: degraded(service, summary, full),
        outages: summary.outages.clone(),
        devices: devices
            .map(|worker| device(service, worker, &summary.running))
            .collect(),
        host: host_memory(),
        running: running
            .filter_map(|job| running_job(job, &glance))
            .collect(),
        queued: summary.queued,
        drain: glance.queue.drains.as_ref().and_then(estimate),
        disks: service.spaces.latest(),
        failures: glance.failures,
    })))
}

/// That a job would have no room, as far as is known.
fn no_room(service: &Service) -> Option<Note> {
    let full = service.spaces.full()?;
    Some(Note::new(Code::DISK_FULL, full.to_string()))
}

fn device(service: &Service, worker: &WorkerStatus, running: &[Job]) -> DeviceStatus {
    let is_here = |job: &&Job| match &job.state {
        JobState::Running { device, .. } => *device == worker.device,
        _ => false,
    };
    DeviceStatus {
        job: running.iter().find(is_here).map(|job| job.id),
        gpu: service.metrics.gpus.figures(&worker.device),
        worker: worker.clone(),
    }
}

fn running_job(job: &Job, glance: &Glance) -> Option<RunningJob> {
    let JobState::Running {
        started_at,
        device,
        progress,
        paused,
        ..
    } = &job.state
    else {
        return None;
    };
    let mut entries = glance.queue.jobs.iter();
    let entry = entries.find(|entry| entry.id == job.id);
    let ends = entry.and_then(|entry| entry.ends.clone());
    Some(RunningJob {
        id: job.id,
        name: job.name.clone(),
        device: device.clone(),
        started_at: *started_at,
        paused: *paused,
        progress: *progress,
        secs_per_step: glance.secs_per_step.get(&job.id).copied(),
        left: ends.as_ref().and_then(estimate),
        ends,
    })
}

fn estimate(moment: &Moment) -> Option<Estimate> {
    Some(moment.expected()?.estimate)
}
