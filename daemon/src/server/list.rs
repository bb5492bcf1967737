//! `list`: all jobs, or those in some states.

use std::io;

use framepack_ipc::{
    ErrorEnvelope,
    control::{ListRequest, Response},
};
use framepack_jobs::Job;

use super::{Service, connection::Connection};

/// Jobs that are sent at a time, so that no answer is too long.
const JOBS_AT_ONCE: usize = 1000;

/// Sends jobs, in parts when they are many.
pub(super) async fn send(mut jobs: Vec<Job>, connection: &mut Connection) -> io::Result<()> {
    while jobs.len() > JOBS_AT_ONCE {
        let rest = jobs.split_off(JOBS_AT_ONCE);
        connection.send(&Response::MoreJobs { jobs }).await?;
        jobs = rest;
    }
    connection.send(&Response::Jobs { jobs }).await
}

impl Service {
    pub(super) async fn list(&self, request: ListRequest) -> Result<Response, ErrorEnvelope> {
        let jobs = self.queue.list(request.states).await?;
        Ok(Response::Jobs { jobs })
    }
}
