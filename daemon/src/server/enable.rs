//! `gpu enable`: a disabled device gets jobs again.

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{DeviceRequest, EnableOutcome, Enabling, Response, WorkerState},
};
use framepack_jobs::Code;

use super::service::Service;

pub(super) async fn enable(
    service: &Service,
    request: DeviceRequest,
) -> Result<Response, ErrorEnvelope> {
    let device = request.device;
    let workers = service.queue.workers().await?;
    let Some(worker) = workers.iter().find(|worker| worker.device == device) else {
        let known: Vec<&str> = workers
            .iter()
            .map(|worker| worker.device.as_str())
            .collect();
        let error = ErrorBody::new(Code::NO_SUCH_DEVICE, format!("no worker for {device}"));
        return Err(error
            .hint(format!("known devices: {}", known.join(", ")))
            .into());
    };
    let outcome = match worker.state {
        WorkerState::Faulty => {
            service.switches.enable(&device);
            EnableOutcome::Enabled
        }
        _ => EnableOutcome::NotFaulty,
    };
    Ok(Response::Enabled(Enabling { device, outcome }))
}
