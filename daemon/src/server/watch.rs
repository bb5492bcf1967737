//! `watch`: the selected jobs, now and at each change, until all of them are finished.

use std::{collections::BTreeSet, io};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{Response, SelectRequest},
};
use framepack_jobs::{Code, Job, JobId};
use tokio::{select, sync::broadcast::error::RecvError};

use super::{Service, connection::Connection};
use crate::queue::Stopping;

impl Service {
    pub(super) async fn watch(
        &self,
        request: &SelectRequest,
        connection: &mut Connection,
    ) -> io::Result<Result<(), ErrorEnvelope>> {
        // Before the first look, so that no change falls between the two.
        let mut changes = self.queue.subscribe();
        // Only their numbers: the client may be slow to take the jobs.
        let mut watched = match self.selected(request).await {
            Ok(jobs) => Watched {
                unfinished: jobs.iter().map(|job| job.id).collect(),
            },
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(refused) = self.catch_up(&mut watched, connection).await? {
            return Ok(Err(refused));
        }
        while !watched.unfinished.is_empty() {
            select! {
                change = changes.recv() => match change {
                    Ok(job) if watched.unfinished.contains(&job.id) => watched.show(&job, connection).await?,
                    Ok(_) => {}
                    // Fell behind: what was missed is in the jobs themselves.
                    Err(RecvError::Lagged(_)) => match self.catch_up(&mut watched, connection).await? {
                        Ok(()) => {}
                        Err(refused) => return Ok(Err(refused)),
                    },
                    Err(RecvError::Closed) => return Ok(Err(Stopping.into())),
                },
                request = connection.receive() => {
                    if request?.is_none() {
                        return Ok(Ok(()));
                    }
                    let message = "no other request is accepted on a connection that watches jobs";
                    return Ok(Err(ErrorBody::new(Code::BAD_MESSAGE, message).into()));
                }
            }
        }
        connection.send(&Response::End).await?;
        Ok(Ok(()))
    }

    async fn catch_up(
        &self,
        watched: &mut Watched,
        connection: &mut Connection,
    ) -> io::Result<Result<(), ErrorEnvelope>> {
        for id in watched.unfinished.clone() {
            match self.queue.show(id).await {
                Ok(Some(job)) => watched.show(&job, connection).await?,
                Ok(None) => {}
                Err(stopping) => return Ok(Err(stopping.into())),
            }
        }
        Ok(Ok(()))
    }
}

/// The jobs that a client still waits for.
#[derive(Debug)]
struct Watched {
    unfinished: BTreeSet<JobId>,
}

impl Watched {
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
