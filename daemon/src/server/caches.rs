//! `cache`: what workers keep to find it again, and its removal.

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::Response,
    upkeep::{CacheKind, CacheRequest},
};
use framepack_jobs::Code;

use super::service::Service;
use crate::caches::{clear, list};

pub(super) async fn caches(
    service: &Service,
    request: CacheRequest,
) -> Result<Response, ErrorEnvelope> {
    if let CacheRequest::Clear {
        kind: Some(CacheKind::Unknown),
    } = request
    {
        let message = "this daemon has no such cache";
        return Err(ErrorBody::new(Code::USAGE, message).into());
    }
    let layout = service.layout.clone();
    let look = move || match request {
        CacheRequest::List => list(&layout),
        CacheRequest::Clear { kind } => clear(&layout, kind),
    };
    // In the lane of the embeddings, for which nothing waits.
    let looked = service.disk.at(&service.layout.embeddings(), look).await;
    match looked {
        Ok(caches) => Ok(Response::Caches { caches }),
        Err(silent) => Err(ErrorBody::new(Code::SHARE_SILENT, silent.to_string()).into()),
    }
}
