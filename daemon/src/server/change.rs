//! `cancel`, `hold`, `release`, `pause`, `resume`, `priority`, `retry`: what users change about jobs that are there.

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::Response, queue::ChangeRequest};
use framepack_jobs::Code;

use super::service::Service;
use crate::queue::{NotForAll, Order, Pausing};

pub(super) async fn change(
    service: &Service,
    request: ChangeRequest,
) -> Result<Response, ErrorEnvelope> {
    let order = Order::try_from(request).map_err(|NotForAll| {
        let message = "only pause and resume apply to a group or to all jobs";
        ErrorBody::new(Code::BAD_MESSAGE, message)
    })?;
    let resumes = matches!(order, Order::Queue(_, Pausing::Resume));
    let changed = service.queue.change(order).await?;
    let jobs =
        changed.map_err(|unmatched| ErrorBody::new(Code::NO_SUCH_JOB, unmatched.to_string()))?;
    let remark = if resumes {
        try_outages(service).await?
    } else {
        None
    };
    Ok(Response::Changed { jobs, remark })
}

/// A user can't end what jobs wait for because the farm is at fault, but has it tried at once. Says so.
async fn try_outages(service: &Service) -> Result<Option<String>, ErrorEnvelope> {
    for worker in service.queue.workers().await? {
        if worker.outage.is_some() {
            service.switches.enable(&worker.device);
        }
    }
    let outages = service.queue.summary().await?.outages;
    let told = outages
        .iter()
        .map(|outage| outage.code.behind(&outage.message));
    let told = told.collect::<Vec<_>>().join("; ");
    Ok((!outages.is_empty()).then(|| {
        format!("jobs still wait until the farm is mended, which is tried again now: {told}")
    }))
}
