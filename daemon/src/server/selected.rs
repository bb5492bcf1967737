//! The jobs that a request means.

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::SelectRequest};
use framepack_jobs::{Code, Job};

use super::service::Service;

pub(super) async fn selected(
    service: &Service,
    request: &SelectRequest,
) -> Result<Vec<Job>, ErrorEnvelope> {
    let selected = service.queue.select(request.jobs.clone()).await?;
    selected.map_err(|unmatched| ErrorBody::new(Code::NO_SUCH_JOB, unmatched.to_string()).into())
}
