//! `state export`: all records of the store.

use std::io;

use framepack_ipc::control::Response;
use framepack_jobs::JobId;

use super::{connection::Connection, service::Service, unanswered::Unanswered};
use crate::record::Record;

/// Records that are fetched at a time.
const PAGE: usize = 500;

pub(super) async fn records(
    service: &Service,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let mut after = JobId(0);
    loop {
        let page = service.queue.records_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.job.id;
        send(&page, connection).await?;
    }
    Ok(connection.send(&Response::End).await?)
}

/// Sends records as they are exported.
pub(super) async fn send(records: &[Record], connection: &mut Connection) -> io::Result<()> {
    for record in records {
        let record = serde_json::to_value(record)?;
        connection.send(&Response::Record { record }).await?;
    }
    Ok(())
}
