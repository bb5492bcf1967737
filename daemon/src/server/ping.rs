//! `ping`: the daemon is there, and how it is.

use framepack_ipc::{
    ErrorEnvelope,
    control::{DaemonStatus, Response},
};
use framepack_jobs::{Job, StateName};

use super::Service;

impl Service {
    pub(super) async fn ping(&self) -> Result<Response, ErrorEnvelope> {
        let jobs = self.queue.list().await?;
        let count = |state| jobs.iter().filter(|job: &&Job| job.is(state)).count() as u64;
        Ok(Response::Pong(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_secs: self.started.elapsed().as_secs_f64(),
            queued: count(StateName::Queued),
            running: count(StateName::Running),
            workers: self.queue.workers().await?,
            paused: None,
            degraded: self.notes.borrow().clone(),
        }))
    }
}
