//! `doctor`: whether everything is there that rendering takes.

use framepack_ipc::{
    ErrorEnvelope,
    check::{Check, CheckState},
    control::{Outage, Response, WorkerState, WorkerStatus},
};

use super::service::Service;

pub(super) async fn doctor(service: &Service) -> Result<Response, ErrorEnvelope> {
    let mut checks = service.doctor.check(&service.disk).await;
    let of_folder = service.folder.borrow().notes.clone();
    for note in of_folder.into_iter().chain(service.reloader.note()) {
        let message = note.code.behind(&note.message);
        checks.push(Check::failed(
            "daemon",
            message,
            note.hint.unwrap_or_default(),
        ));
    }
    let summary = service.queue.summary().await?;
    if let Some(why) = summary.paused {
        checks.push(queue(why, summary.stopped_by));
    }
    let workers = service.queue.workers().await?;
    checks.extend(workers.into_iter().map(worker));
    Ok(Response::Checked { checks })
}

/// Why no job starts.
fn queue(why: String, stopped_by: Option<Outage>) -> Check {
    const NAME: &str = "queue";
    match stopped_by {
        Some(outage) => Check::failed(NAME, why, outage.hint.unwrap_or_default()),
        None => Check::new(
            CheckState::Warning,
            NAME,
            why,
            "`framepackctl resume --all`, if somebody paused it; otherwise it continues automatically",
        ),
    }
}

fn worker(worker: WorkerStatus) -> Check {
    let name = format!("worker {}", worker.device);
    let why = worker.note.unwrap_or_default();
    let fix = worker.outage.and_then(|outage| outage.hint);
    match worker.state {
        WorkerState::Idle | WorkerState::Busy => {
            Check::ok(name, worker.device_name.unwrap_or_default())
        }
        WorkerState::Starting => Check::new(
            CheckState::Warning,
            name,
            "it is starting",
            "ask again in a minute",
        ),
        WorkerState::Faulty => Check::failed(
            name,
            format!("it is disabled: {why}"),
            format!(
                "run `framepack-worker doctor --device {}`, and see the daemon's log",
                worker.device
            ),
        ),
        WorkerState::Down | WorkerState::Unknown => Check::failed(
            name,
            format!("it is down: {why}"),
            fix.unwrap_or_else(|| "see the daemon's log for its last output".to_owned()),
        ),
    }
}
