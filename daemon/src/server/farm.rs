//! `status` and `top`: the farm at a glance.

use std::time::Duration;

use framepack_ipc::{
    ErrorEnvelope,
    control::{Note, Response, WorkerStatus},
    estimate::{Basis, Estimate},
    farm::{DeviceStatus, FarmStatus, RunningJob},
};
use framepack_jobs::{Code, Job, JobState, Pace, Timestamp};

use super::{degraded::degraded, service::Service};
use crate::farm::host_memory;

/// Failures that are told, and how old they may be.
const FAILURES: usize = 5;
const FAILURES_WITHIN: Duration = Duration::from_hours(24);
/// How far the time that is left may be from what the steps so far tell.
const DEVIATION: f64 = 0.1;

pub(super) async fn farm(service: &Service) -> Result<Response, ErrorEnvelope> {
    let since = Timestamp::now().minus(FAILURES_WITHIN);
    let summary = service.queue.summary().await?;
    let workers = service.queue.workers().await?;
    let failures = service.queue.failures(since, FAILURES).await?;
    service.spaces.refresh().await;
    service.metrics.gpus.refresh_later();
    let full = summary.disk_full.clone().or_else(|| no_room(service));
    let devices = workers
        .into_iter()
        .map(|worker| device(service, worker, &summary.running));
    let uptime = service.started.elapsed();
    Ok(Response::Farm(Box::new(FarmStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up_since: Timestamp::now().minus(uptime),
        uptime_secs: uptime.as_secs_f64(),
        devices: devices.collect(),
        host: host_memory(),
        running: summary
            .running
            .iter()
            .filter_map(|job| running(job, &service.paces.of(job.id)))
            .collect(),
        queued: summary.queued,
        drain: None,
        failures,
        disks: service.spaces.latest(),
        degraded: degraded(service, &summary, full),
        paused: summary.paused,
        outages: summary.outages,
    })))
}

/// That a job would have no room, as far as is known.
fn no_room(service: &Service) -> Option<Note> {
    let full = service.spaces.full()?;
    Some(Note::new(Code::DISK_FULL, full.to_string()))
}

fn device(service: &Service, worker: WorkerStatus, running: &[Job]) -> DeviceStatus {
    let is_here = |job: &&Job| match &job.state {
        JobState::Running { device, .. } => *device == worker.device,
        _ => false,
    };
    DeviceStatus {
        job: running.iter().find(is_here).map(|job| job.id),
        gpu: service.metrics.gpus.figures(&worker.device),
        worker,
    }
}

fn running(job: &Job, pace: &Pace) -> Option<RunningJob> {
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
    let left = progress.as_ref().and_then(|progress| pace.left(progress));
    Some(RunningJob {
        id: job.id,
        name: job.name.clone(),
        device: device.clone(),
        started_at: *started_at,
        paused: *paused,
        progress: *progress,
        secs_per_step: pace.secs_per_step(),
        left: left.map(estimate),
    })
}

fn estimate(left: Duration) -> Estimate {
    let secs = left.as_secs_f64();
    Estimate {
        secs,
        low_secs: secs * (1.0 - DEVIATION),
        high_secs: secs * (1.0 + DEVIATION),
        basis: Basis::Progress,
    }
}
