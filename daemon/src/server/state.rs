//! `state`: the store's check and repair, export and import.

use std::io;

use framepack_ipc::{ErrorBody, ErrorEnvelope, control::Response, state::StateRequest};
use framepack_jobs::JobId;
use serde_json::Value;

use super::{Service, connection::Connection};
use crate::{queue::exported, record::Record};

/// Records that are fetched at a time.
const PAGE: usize = 500;

impl Service {
    pub(super) async fn state(
        &self,
        request: StateRequest,
        connection: &mut Connection,
    ) -> io::Result<Result<(), ErrorEnvelope>> {
        let report = match request {
            StateRequest::Check => self.store.check().await,
            StateRequest::Repair => self.store.repair().await,
            StateRequest::Acknowledge => match self.store.acknowledge() {
                Ok(()) => self.store.check().await,
                Err(error) => Err(error),
            },
            StateRequest::Export => return self.export(connection).await,
            StateRequest::Import { records } => {
                return match self.import(records).await {
                    Ok(response) => connection.send(&response).await.map(Ok),
                    Err(refused) => Ok(Err(refused)),
                };
            }
        };
        match report {
            Ok(report) => connection.send(&Response::State(report)).await.map(Ok),
            Err(error) => Ok(Err(ErrorBody::from(error).into())),
        }
    }

    async fn export(&self, connection: &mut Connection) -> io::Result<Result<(), ErrorEnvelope>> {
        let mut after = JobId(0);
        loop {
            let page = match self.queue.records_after(after, PAGE).await {
                Ok(page) => page,
                Err(stopping) => return Ok(Err(stopping.into())),
            };
            let Some(last) = page.last() else { break };
            after = last.job.id;
            for record in &page {
                send_record(record, connection).await?;
            }
        }
        connection.send(&Response::End).await.map(Ok)
    }

    async fn import(&self, records: Vec<Value>) -> Result<Response, ErrorEnvelope> {
        let mut outcomes = Vec::new();
        for value in records {
            outcomes.push(match exported(value) {
                Ok(record) => self.queue.import(record).await?,
                Err(refused) => refused,
            });
        }
        Ok(Response::Imported { outcomes })
    }
}

/// Sends one record as it is exported.
pub(super) async fn send_record(record: &Record, connection: &mut Connection) -> io::Result<()> {
    let record = serde_json::to_value(record)?;
    connection.send(&Response::Record { record }).await
}
