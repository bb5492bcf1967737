//! `cancel`, `hold`, `release`, `pause`, `resume`, `priority`, `retry`: what users change about jobs that are there.

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::Response, queue::ChangeRequest};
use framepack_jobs::Code;

use super::service::Service;
use crate::queue::{NotForAll, Order};

pub(super) async fn change(
    service: &Service,
    request: ChangeRequest,
) -> Result<Response, ErrorEnvelope> {
    let order = Order::try_from(request).map_err(|NotForAll| {
        let message = "only pause and resume apply to a group or to all jobs";
        ErrorBody::new(Code::BAD_MESSAGE, message)
    })?;
    let changed = service.queue.change(order).await?;
    let jobs =
        changed.map_err(|unmatched| ErrorBody::new(Code::NO_SUCH_JOB, unmatched.to_string()))?;
    Ok(Response::Changed { jobs })
}
