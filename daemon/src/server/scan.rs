//! `folder scan`: the jobs folder is rescanned now.

use std::time::Duration;

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::Response};
use framepack_jobs::Code;
use tokio::{sync::oneshot, time::timeout};

use super::service::Service;
use crate::{folder::Event, queue::Stopping};

/// How long the answer may take: longer than a scan that finds more files than it can take, and less than clients wait.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn scan(service: &Service) -> Result<Response, ErrorEnvelope> {
    let (reply, answer) = oneshot::channel();
    service
        .folder_events
        .send(Event::Scan(reply))
        .map_err(|_| Stopping)?;
    match timeout(PATIENCE, answer).await {
        Ok(Ok(scan)) => Ok(Response::Scanned(scan)),
        Ok(Err(_)) => Err(Stopping.into()),
        Err(_) => {
            let jobs = service.jobs.display();
            let seconds = PATIENCE.as_secs();
            let message = format!("the scan of {jobs} has not finished within {seconds} s");
            Err(ErrorBody::new(Code::SHARE_SILENT, message).into())
        }
    }
}
