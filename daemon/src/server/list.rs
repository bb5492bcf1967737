//! `list`: all jobs, or those in some states.

use std::io;

use framepack_ipc::control::{ListRequest, Response};
use framepack_jobs::Job;

use super::{connection::Connection, service::Service, unanswered::Unanswered};

/// Jobs that are sent at a time, so that no answer is too long.
const JOBS_AT_ONCE: usize = 1000;

pub(super) async fn list(
    service: &Service,
    request: ListRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    // Held until the answer has been taken: a user who does not read has few of them in memory.
    let _long = connection.permit().long_message().await;
    let jobs = service.queue.list(request).await?;
    Ok(send(jobs, connection).await?)
}

/// Sends jobs, in parts when they are many.
pub(super) async fn send(mut jobs: Vec<Job>, connection: &mut Connection) -> io::Result<()> {
    while jobs.len() > JOBS_AT_ONCE {
        let rest = jobs.split_off(JOBS_AT_ONCE);
        connection.send(&Response::MoreJobs { jobs }).await?;
        jobs = rest;
    }
    connection.send(&Response::Jobs { jobs }).await
}
