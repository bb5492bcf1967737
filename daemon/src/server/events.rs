//! `wait`: the selected jobs, now and at each change, until all of them are finished.

use std::{collections::BTreeSet, io};

use framepack_ipc::{
    ErrorBody,
    control::{Request, Response, SelectRequest},
};
use framepack_jobs::{Code, Job, JobId};
use tokio::{select, sync::broadcast::error::RecvError};

use super::{connection::Connection, selected::selected, service::Service, unanswered::Unanswered};
use crate::queue::Stopping;

pub(super) async fn events(
    service: &Service,
    request: &SelectRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    // Before the first look, so that no change falls between the two.
    let mut changes = service.queue.subscribe();
    // Only their numbers: the client may be slow to take the jobs.
    let jobs = selected(service, request).await?;
    let mut watched = Watched {
        unfinished: jobs.iter().map(|job| job.id).collect(),
    };
    drop(jobs);
    watched.catch_up(service, connection).await?;
    while !watched.unfinished.is_empty() {
        select! {
            change = changes.recv() => match change {
                Ok(job) if watched.unfinished.contains(&job.id) => watched.show(&job, connection).await?,
                Ok(_) => {}
                // Fell behind: what was missed is in the jobs themselves.
                Err(RecvError::Lagged(_)) => watched.catch_up(service, connection).await?,
                Err(RecvError::Closed) => return Err(Stopping.into()),
            },
            request = connection.receive::<Request>() => {
                if request?.is_none() {
                    return Ok(());
                }
                let message = "no other request is accepted on a connection that watches jobs";
                return Err(ErrorBody::new(Code::BAD_MESSAGE, message).into());
            }
        }
    }
    Ok(connection.send(&Response::End).await?)
}

/// The jobs that a client still waits for.
#[derive(Debug)]
struct Watched {
    unfinished: BTreeSet<JobId>,
}

impl Watched {
    /// Shows all of them as they are now.
    async fn catch_up(
        &mut self,
        service: &Service,
        connection: &mut Connection,
    ) -> Result<(), Unanswered> {
        for id in self.unfinished.clone() {
            if let Some(job) = service.queue.show(id).await? {
                self.show(&job, connection).await?;
            }
        }
        Ok(())
    }

    async fn show(&mut self, job: &Job, connection: &mut Connection) -> io::Result<()> {
        connection
            .send(&Response::Job(Box::new(job.clone())))
            .await?;
        if job.is_finished() {
            self.unfinished.remove(&job.id);
        } else {
            self.unfinished.insert(job.id);
        }
        Ok(())
    }
}
