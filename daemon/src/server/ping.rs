//! `ping`: the daemon is there, and how it is.

use framepack_ipc::{
    ErrorEnvelope,
    control::{DaemonStatus, Response},
};

use super::{
    health::{degraded, full},
    service::Service,
};

pub(super) async fn ping(service: &Service) -> Result<Response, ErrorEnvelope> {
    let summary = service.queue.summary().await?;
    let full = full(service, &summary).await;
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
