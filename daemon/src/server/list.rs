//! `list`: all jobs, or those in some states.

use framepack_ipc::{
    ErrorEnvelope,
    control::{ListRequest, Response},
};

use super::Service;

impl Service {
    pub(super) async fn list(&self, request: ListRequest) -> Result<Response, ErrorEnvelope> {
        let jobs = self.queue.list(request.states).await?;
        Ok(Response::Jobs { jobs })
    }
}
