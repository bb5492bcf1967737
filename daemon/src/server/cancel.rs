//! `cancel`: stops the selected jobs.

use framepack_ipc::{
    ErrorEnvelope,
    control::{Response, SelectRequest},
};

use super::Service;

impl Service {
    pub(super) async fn cancel(&self, request: SelectRequest) -> Result<Response, ErrorEnvelope> {
        let selected = self.selected(&request).await?;
        let ids = selected.into_iter().map(|job| job.id).collect();
        let jobs = self.queue.cancel(ids).await?;
        Ok(Response::Cancelled { jobs })
    }
}
