//! `metrics`: the daemon's metrics as text.

use framepack_ipc::{ErrorEnvelope, control::Response};

use super::service::Service;

pub(super) async fn metrics(service: &Service) -> Result<Response, ErrorEnvelope> {
    let text = service.metrics.text().await?;
    Ok(Response::Metrics { text })
}
