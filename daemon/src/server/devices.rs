//! Devices that a request names.

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::WorkerStatus};
use framepack_jobs::Code;

use super::service::Service;

/// The workers of the device that is named, or of all.
pub(super) async fn named(
    service: &Service,
    device: Option<&str>,
) -> Result<Vec<WorkerStatus>, ErrorEnvelope> {
    let workers = service.queue.workers().await?;
    let Some(device) = device else {
        return Ok(workers);
    };
    match workers.iter().find(|worker| worker.device == device) {
        Some(worker) => Ok(vec![worker.clone()]),
        None => Err(unknown(device, &workers)),
    }
}

fn unknown(device: &str, workers: &[WorkerStatus]) -> ErrorEnvelope {
    let known: Vec<&str> = workers
        .iter()
        .map(|worker| worker.device.as_str())
        .collect();
    let error = ErrorBody::new(Code::NO_SUCH_DEVICE, format!("no worker for {device}"));
    error
        .hint(format!("known devices: {}", known.join(", ")))
        .into()
}
