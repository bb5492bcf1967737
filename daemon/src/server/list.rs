//! `list`: all jobs, or those in some states.

use framepack_ipc::{
    ErrorEnvelope,
    control::{ListRequest, Response},
};

use super::Service;

impl Service {
    pub(super) async fn list(&self, request: ListRequest) -> Result<Response, ErrorEnvelope> {
        let mut jobs = self.queue.list().await?;
        if !request.states.is_empty() {
            jobs.retain(|job| request.states.contains(&job.state.name()));
        }
        Ok(Response::Jobs { jobs })
    }
}
