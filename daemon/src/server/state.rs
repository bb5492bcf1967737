//! `state`: the store's check and repair, and the import of jobs.

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::Response, state::StateRequest};
use serde_json::Value;

use super::service::Service;
use crate::queue::exported;

pub(super) async fn state(
    service: &Service,
    request: StateRequest,
) -> Result<Response, ErrorEnvelope> {
    let report = match request {
        StateRequest::Check => service.store.check().await,
        StateRequest::Repair => service.store.repair().await,
        StateRequest::Acknowledge => match service.store.acknowledge() {
            Ok(()) => {
                service.clock.acknowledge();
                service.store.check().await
            }
            Err(error) => Err(error),
        },
        StateRequest::Import { records } => return import(service, records).await,
    };
    Ok(Response::State(report.map_err(ErrorBody::from)?))
}

async fn import(service: &Service, records: Vec<Value>) -> Result<Response, ErrorEnvelope> {
    let mut outcomes = Vec::new();
    for value in records {
        outcomes.push(match exported(value) {
            Ok(record) => service.queue.import(record).await?,
            Err(refused) => refused,
        });
    }
    Ok(Response::Imported { outcomes })
}
