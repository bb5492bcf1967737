//! `queue`: the order in which jobs will run.

use framepack_ipc::{ErrorEnvelope, control::Response};

use super::service::Service;

pub(super) async fn queue(service: &Service) -> Result<Response, ErrorEnvelope> {
    Ok(Response::Queue(service.queue.view().await?))
}
