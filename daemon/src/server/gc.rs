//! `gc`: what nobody needs is removed now.

use framepack_ipc::{ErrorEnvelope, control::Response, upkeep::GcRequest};

use super::service::Service;
use crate::retention::Orphans;

pub(super) async fn gc(service: &Service, request: &GcRequest) -> Result<Response, ErrorEnvelope> {
    let orphans = if service.store.repairs().is_empty() {
        Orphans::Go
    } else {
        Orphans::Stay
    };
    let collected = service.retention.gc(request.mode, orphans).await?;
    Ok(Response::Collected(collected))
}
