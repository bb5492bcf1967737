//! `gpu enable`: a disabled device gets jobs again.

use framepack_ipc::{
    ErrorEnvelope,
    control::{DeviceRequest, EnableOutcome, Enabling, Response, WorkerState, WorkerStatus},
};

use super::{devices::named, service::Service};

pub(super) async fn enable(
    service: &Service,
    request: DeviceRequest,
) -> Result<Response, ErrorEnvelope> {
    let device = request.device;
    let workers = named(service, Some(&device)).await?;
    let is_faulty = |worker: &WorkerStatus| worker.state == WorkerState::Faulty;
    let outcome = if workers.iter().any(is_faulty) {
        service.switches.enable(&device);
        EnableOutcome::Enabled
    } else {
        EnableOutcome::NotFaulty
    };
    Ok(Response::Enabled(Enabling { device, outcome }))
}
