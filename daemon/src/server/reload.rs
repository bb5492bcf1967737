//! `reload`: the configuration is read again.

use framepack_ipc::{ErrorEnvelope, control::Response};

use super::service::Service;

pub(super) async fn reload(service: &Service) -> Result<Response, ErrorEnvelope> {
    Ok(Response::Reloaded(service.reloader.reload().await?))
}
