//! `doctor`: whether everything is there that rendering takes.

use framepack_ipc::{
    ErrorEnvelope,
    check::{Check, CheckState},
    control::{Response, WorkerState},
};

use super::service::Service;

pub(super) async fn doctor(service: &Service) -> Result<Response, ErrorEnvelope> {
    let mut checks = service.doctor.check(&service.disk).await;
    for note in &service.folder.borrow().notes {
        let message = format!("{} [{}]", note.message, note.code);
        checks.push(Check::failed(
            "daemon",
            message,
            note.hint.clone().unwrap_or_default(),
        ));
    }
    if let Some(why) = service.queue.summary().await?.paused {
        let fix = "`framepackctl resume --all`, if somebody paused it; otherwise it continues automatically";
        checks.push(Check::new(CheckState::Warning, "queue", why, fix));
    }
    for worker in service.queue.workers().await? {
        let name = format!("worker {}", worker.device);
        let why = worker.note.unwrap_or_default();
        checks.push(match worker.state {
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
                "see the daemon's log for its last output",
            ),
        });
    }
    Ok(Response::Checked { checks })
}
