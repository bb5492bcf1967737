//! `show`: the selected jobs.

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{Response, SelectRequest},
};
use framepack_jobs::{Code, Job};

use super::Service;

impl Service {
    pub(super) async fn show(&self, request: SelectRequest) -> Result<Response, ErrorEnvelope> {
        let jobs = self.selected(&request).await?;
        Ok(Response::Jobs { jobs })
    }

    /// The jobs that a request means.
    pub(super) async fn selected(
        &self,
        request: &SelectRequest,
    ) -> Result<Vec<Job>, ErrorEnvelope> {
        let selected = self.queue.select(request.jobs.clone()).await?;
        selected
            .map_err(|unmatched| ErrorBody::new(Code::NO_SUCH_JOB, unmatched.to_string()).into())
    }
}
