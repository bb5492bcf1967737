//! The socket of a daemon that has no jobs yet, since its store is closed or a path does not answer: it says why, and what
//! can be done.

use std::{convert::Infallible, io, sync::Arc, time::Instant};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{self, DaemonStatus, Note, Request, Response},
    farm::FarmStatus,
    state::StateRequest,
};
use framepack_jobs::Timestamp;
use interprocess::local_socket::tokio::{Listener, Stream};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
};
use tracing::debug;

use super::{
    connection::Connection,
    limits::Limits,
    listen::{accept, admit},
    records,
    roles::permitted,
    unanswered::Unanswered,
};
use crate::{
    farm::host_memory,
    roles::Roles,
    store::{self, Location},
};

/// A request to open the store without what can't be read, and the way to answer it.
pub(crate) type RepairRequest = oneshot::Sender<Result<(), Note>>;

/// What is known meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) roles: Arc<Roles>,
    pub(crate) location: Location,
    pub(crate) started: Instant,
    /// In short, why no job begins.
    pub(crate) paused: &'static str,
    /// Why there are no jobs. Its sender is gone once there are.
    pub(crate) why: watch::Receiver<Note>,
    pub(crate) repair: mpsc::Sender<RepairRequest>,
}

/// Accepts connections until it is dropped; each ends after the answer that it is waiting for.
pub(crate) async fn serve_closed(listener: &Listener, closed: &Closed) -> Infallible {
    let limits = Limits::default();
    loop {
        let stream = accept(listener).await;
        tokio::spawn(converse(stream, limits.clone(), closed.clone()));
    }
}

async fn converse(stream: Stream, limits: Limits, closed: Closed) {
    if let Err(error) = closed.serve(stream, &limits).await {
        debug!(%error, "a connection failed");
    }
}

impl Closed {
    async fn serve(mut self, stream: Stream, limits: &Limits) -> io::Result<()> {
        let Some((mut connection, peer)) = admit(stream, limits).await? else {
            return Ok(());
        };
        let role = self.roles.of(&peer);
        loop {
            let request = select! {
                request = connection.receive() => match request? {
                    Some(request) => request,
                    None => return Ok(()),
                },
                // The next connection is to the daemon with its jobs.
                changed = self.why.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Ok(()),
                },
            };
            connection.permit().request().await;
            let answered = match permitted(role, request) {
                Ok(request) => self.answer(request, &mut connection).await,
                Err(refused) => Err(refused.into()),
            };
            connection.conclude(answered).await?;
        }
    }

    async fn answer(
        &self,
        request: Request,
        connection: &mut Connection,
    ) -> Result<(), Unanswered> {
        let response = match request {
            Request::Ping => self.status(),
            Request::Farm => self.farm(),
            Request::State(StateRequest::Check) => self.report().await?,
            Request::State(StateRequest::Repair) => self.repair().await?,
            Request::State(StateRequest::Acknowledge) => {
                store::acknowledge(&self.location).map_err(ErrorBody::from)?;
                self.report().await?
            }
            Request::Stream(control::Stream::Records) => return self.export(connection).await,
            _ => return Err(self.refusal().into()),
        };
        Ok(connection.send(&response).await?)
    }

    fn status(&self) -> Response {
        Response::Pong(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_secs: self.started.elapsed().as_secs_f64(),
            queued: 0,
            running: 0,
            workers: Vec::new(),
            paused: Some(self.paused.to_owned()),
            degraded: vec![self.why.borrow().clone()],
            outages: Vec::new(),
        })
    }

    fn farm(&self) -> Response {
        let uptime = self.started.elapsed();
        Response::Farm(Box::new(FarmStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            up_since: Timestamp::now().minus(uptime),
            uptime_secs: uptime.as_secs_f64(),
            paused: Some(self.paused.to_owned()),
            degraded: vec![self.why.borrow().clone()],
            outages: Vec::new(),
            devices: Vec::new(),
            host: host_memory(),
            running: Vec::new(),
            queued: 0,
            drain: None,
            failures: Vec::new(),
            disks: Vec::new(),
        }))
    }

    fn refusal(&self) -> ErrorEnvelope {
        ErrorBody::from(self.why.borrow().clone()).into()
    }

    async fn report(&self) -> Result<Response, ErrorEnvelope> {
        let why = self.why.borrow().message.clone();
        let mut report = store::report_of_journal(self.location.clone())
            .await
            .map_err(ErrorBody::from)?;
        report.problems.insert(0, why);
        Ok(Response::State(report))
    }

    /// Asks for the store to be opened whatever it costs.
    async fn repair(&self) -> Result<Response, ErrorEnvelope> {
        let (request, granted) = oneshot::channel();
        let asked = self.repair.send(request).await;
        match granted.await {
            Ok(Ok(())) if asked.is_ok() => store::report_of_journal(self.location.clone())
                .await
                .map(Response::State)
                .map_err(|error| ErrorBody::from(error).into()),
            _ => Err(self.refusal()),
        }
    }

    async fn export(&self, connection: &mut Connection) -> Result<(), Unanswered> {
        let all = store::records_of_journal(self.location.clone()).await;
        records::send(&all.map_err(ErrorBody::from)?, connection).await?;
        Ok(connection.send(&Response::End).await?)
    }
}
