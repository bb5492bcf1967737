//! `show`: the selected jobs.

use framepack_ipc::{
    ErrorBody, ErrorCode, ErrorEnvelope,
    control::{Response, SelectRequest},
};
use framepack_jobs::{Job, select};

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
        let jobs = self.queue.list().await?;
        match select(&request.jobs, &jobs) {
            Ok(selected) => Ok(selected.into_iter().cloned().collect()),
            Err(unmatched) => {
                Err(ErrorBody::new(ErrorCode::NoSuchJob, unmatched.to_string()).into())
            }
        }
    }
}
