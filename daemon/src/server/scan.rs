//! `folder scan`: the jobs folder is rescanned now.

use framepack_ipc::{ErrorEnvelope, control::Response};
use tokio::sync::oneshot;

use super::service::Service;
use crate::{folder::Event, queue::Stopping};

pub(super) async fn scan(service: &Service) -> Result<Response, ErrorEnvelope> {
    let (reply, answer) = oneshot::channel();
    service
        .folder_events
        .send(Event::Scan(reply))
        .map_err(|_| Stopping)?;
    let scan = answer.await.map_err(|_| Stopping)?;
    Ok(Response::Scanned(scan))
}
