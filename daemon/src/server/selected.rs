//! The jobs that a request means.

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::SelectRequest};
use framepack_jobs::{Code, Job, Selector};

use super::service::Service;

pub(super) async fn selected(
    service: &Service,
    request: &SelectRequest,
) -> Result<Vec<Job>, ErrorEnvelope> {
    selected_by(service, request.jobs.clone()).await
}

/// The same by selectors alone.
pub(super) async fn selected_by(
    service: &Service,
    selectors: Vec<Selector>,
) -> Result<Vec<Job>, ErrorEnvelope> {
    let selected = service.queue.select(selectors).await?;
    selected.map_err(|unmatched| ErrorBody::new(Code::NO_SUCH_JOB, unmatched.to_string()).into())
}
