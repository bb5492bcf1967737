//! What becomes of a device's memory when a user wants it otherwise: the same for `warmup` and `unload`.

use std::time::Instant;

use framepack_ipc::{
    ErrorEnvelope,
    control::{Response, WorkerState, WorkerStatus},
    warmth::{WarmthChange, WarmthOutcome},
};
use framepack_jobs::JobState;

use super::{devices::named, service::Service};
use crate::worker::{NotDone, Warm};

/// Does the same to the idle worker of each device that is meant, at once; those that have a job are left alone.
pub(super) async fn change_each<F>(
    service: &Service,
    device: Option<&str>,
    change: impl Fn(WorkerStatus) -> F,
) -> Result<Response, ErrorEnvelope>
where
    F: Future<Output = WarmthChange> + Send + 'static,
{
    let mut changing = Vec::new();
    for worker in named(service, device).await? {
        changing.push(match worker.state {
            WorkerState::Idle => Ok(tokio::spawn(change(worker))),
            WorkerState::Busy => Err(busy(service, worker).await?),
            _ => Err(absent(worker)),
        });
    }
    let mut devices = Vec::new();
    for change in changing {
        devices.push(match change {
            Ok(changing) => changing
                .await
                .expect("a change does not panic, and nobody aborts it"),
            Err(left_alone) => left_alone,
        });
    }
    Ok(Response::Warmth { devices })
}

/// A change that begins now.
pub(super) fn unchanged(device: String) -> WarmthChange {
    WarmthChange {
        device,
        outcome: WarmthOutcome::Unchanged,
        temperature: None,
        free_bytes: None,
        freed_bytes: None,
        freed_host_bytes: None,
        secs: 0.0,
        remark: None,
        failure: None,
    }
}

/// What came of a change that began then.
pub(super) fn ended(
    outcome: WarmthOutcome,
    device: String,
    warm: Warm,
    since: Instant,
) -> WarmthChange {
    WarmthChange {
        outcome,
        temperature: Some(warm.temperature),
        free_bytes: warm.memory.and_then(|memory| memory.device_free_bytes),
        secs: since.elapsed().as_secs_f64(),
        ..unchanged(device)
    }
}

/// Why nothing came of it.
pub(super) fn not_done(device: String, why: NotDone) -> WarmthChange {
    let (outcome, remark, failure) = match why {
        NotDone::Busy => (
            WarmthOutcome::Busy,
            Some("has got a job meanwhile".to_owned()),
            None,
        ),
        NotDone::Gone => (
            WarmthOutcome::Absent,
            Some("its worker has died; see the daemon's log".to_owned()),
            None,
        ),
        NotDone::Unable => (
            WarmthOutcome::Failed,
            Some("its worker is of an earlier version, which can't load models without a job; install daemon and worker from the same build".to_owned()),
            None,
        ),
        NotDone::Failed(failure) => (WarmthOutcome::Failed, None, Some(*failure)),
    };
    WarmthChange {
        outcome,
        remark,
        failure,
        ..unchanged(device)
    }
}

async fn busy(service: &Service, worker: WorkerStatus) -> Result<WarmthChange, ErrorEnvelope> {
    let running = service.queue.summary().await?.running;
    let on_device = running.into_iter().find_map(|job| match job.state {
        JobState::Running { device, paused, .. } if device == worker.device => {
            Some((job.id, paused))
        }
        _ => None,
    });
    Ok(WarmthChange {
        outcome: WarmthOutcome::Busy,
        remark: on_device.map(|(job, paused)| {
            let does = if paused {
                "keeps its memory for"
            } else {
                "renders"
            };
            let state = if paused { ", which is paused" } else { "" };
            format!("{does} job {job}{state}")
        }),
        ..unchanged(worker.device)
    })
}

fn absent(worker: WorkerStatus) -> WarmthChange {
    let state = match worker.state {
        WorkerState::Starting => "its worker is starting",
        WorkerState::Faulty => "it is disabled",
        _ => "its worker is down",
    };
    let why = worker.note.map(|note| format!(": {note}"));
    WarmthChange {
        outcome: WarmthOutcome::Absent,
        remark: Some(format!("{state}{}", why.unwrap_or_default())),
        ..unchanged(worker.device)
    }
}
