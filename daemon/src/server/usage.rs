//! `usage`: disk space, energy and hours.

use framepack_ipc::{ErrorEnvelope, control::Response, upkeep::UsageRequest};

use super::service::Service;
use crate::usage::{Folders, usage as measure};

pub(super) async fn usage(
    service: &Service,
    request: UsageRequest,
) -> Result<Response, ErrorEnvelope> {
    let paths = &service.running.now().config.paths;
    let folders = Folders {
        outputs: paths.outputs.clone(),
        jobs: paths.jobs.clone(),
        state: paths.state.clone(),
    };
    let usage = measure(&service.disk, &service.queue, folders, request.since).await?;
    Ok(Response::Usage(usage))
}
