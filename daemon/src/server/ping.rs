//! `ping`: the daemon is there, and how it is.

use framepack_ipc::{
    ErrorEnvelope,
    control::{DaemonStatus, Note, Response},
};
use framepack_jobs::Code;

use super::Service;

impl Service {
    /// That a job would have no room, when none has been tried.
    async fn no_room(&self) -> Option<Note> {
        let full = self.disk.room().await.err()?;
        Some(Note::new(Code::DISK_FULL, full.to_string()))
    }

    pub(super) async fn ping(&self) -> Result<Response, ErrorEnvelope> {
        let summary = self.queue.summary().await?;
        let mut degraded = self.folder.borrow().notes.clone();
        degraded.extend(self.store.repairs());
        degraded.extend(summary.disk_full.or(self.no_room().await));
        degraded.extend(self.disk.notes());
        Ok(Response::Pong(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_secs: self.started.elapsed().as_secs_f64(),
            queued: summary.queued,
            running: summary.running.len() as u64,
            workers: self.queue.workers().await?,
            paused: summary.paused,
            degraded,
        }))
    }
}
