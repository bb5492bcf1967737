//! `cancel`: stops the selected jobs.

use framepack_ipc::{
    ErrorEnvelope,
    control::{Cancellation, Response, SelectRequest},
};

use super::Service;

impl Service {
    pub(super) async fn cancel(&self, request: SelectRequest) -> Result<Response, ErrorEnvelope> {
        let mut jobs = Vec::new();
        for job in self.selected(&request).await? {
            if let Some((job, outcome)) = self.queue.cancel(job.id).await? {
                jobs.push(Cancellation { job, outcome });
            }
        }
        Ok(Response::Cancelled { jobs })
    }
}
