//! `ping`: the daemon is there, and how it is.

use framepack_ipc::{
    ErrorEnvelope,
    control::{DaemonStatus, Note, Response},
};
use framepack_jobs::Code;

use super::{degraded::degraded, service::Service};

pub(super) async fn ping(service: &Service) -> Result<Response, ErrorEnvelope> {
    let summary = service.queue.summary().await?;
    let full = match summary.disk_full.clone() {
        Some(full) => Some(full),
        None => no_room(service).await,
    };
    Ok(Response::Pong(DaemonStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_secs: service.started.elapsed().as_secs_f64(),
        queued: summary.queued,
        running: summary.running.len() as u64,
        workers: service.queue.workers().await?,
        degraded: degraded(service, &summary, full),
        paused: summary.paused,
        outages: summary.outages,
    }))
}

/// That a job would have no room, when none has been tried.
async fn no_room(service: &Service) -> Option<Note> {
    let full = service.disk.room().await.err()?;
    Some(Note::new(Code::DISK_FULL, full.to_string()))
}
