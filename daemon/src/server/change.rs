//! `cancel`, `hold`, `release`, `pause`, `resume`, `priority`, `retry`: what users change about jobs that are there.

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::Response,
    queue::{Change, ChangeRequest, Scope},
};
use framepack_jobs::Code;

use super::service::Service;

pub(super) async fn change(
    service: &Service,
    request: ChangeRequest,
) -> Result<Response, ErrorEnvelope> {
    let is_pause = matches!(request.change, Change::Pause { .. } | Change::Resume);
    if !is_pause && !matches!(request.scope, Scope::Jobs(_)) {
        let message = "only pause and resume apply to a group or to all jobs";
        return Err(ErrorBody::new(Code::BAD_MESSAGE, message).into());
    }
    let changed = service.queue.change(request).await?;
    let jobs =
        changed.map_err(|unmatched| ErrorBody::new(Code::NO_SUCH_JOB, unmatched.to_string()))?;
    Ok(Response::Changed { jobs })
}
