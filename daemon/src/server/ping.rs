//! `ping`: the daemon is there, and how it is.

use framepack_ipc::{
    ErrorEnvelope,
    control::{DaemonStatus, Note, Outage, Response},
};
use framepack_jobs::Code;

use super::service::Service;

pub(super) async fn ping(service: &Service) -> Result<Response, ErrorEnvelope> {
    let summary = service.queue.summary().await?;
    let mut degraded = service.folder.borrow().notes.clone();
    degraded.extend(service.store.repairs());
    degraded.extend(match summary.disk_full {
        Some(full) => Some(full),
        None => no_room(service).await,
    });
    degraded.extend(service.disk.notes());
    degraded.extend(service.clock.note());
    degraded.extend(service.reloader.note());
    degraded.extend(summary.outages.iter().map(note));
    Ok(Response::Pong(DaemonStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_secs: service.started.elapsed().as_secs_f64(),
        queued: summary.queued,
        running: summary.running.len() as u64,
        workers: service.queue.workers().await?,
        paused: summary.paused,
        degraded,
        outages: summary.outages,
    }))
}

fn note(outage: &Outage) -> Note {
    Note {
        code: outage.code.clone(),
        message: outage.message.clone(),
        hint: outage.hint.clone(),
    }
}

/// That a job would have no room, when none has been tried.
async fn no_room(service: &Service) -> Option<Note> {
    let full = service.disk.room().await.err()?;
    Some(Note::new(Code::DISK_FULL, full.to_string()))
}
