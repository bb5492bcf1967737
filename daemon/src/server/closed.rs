//! The socket while the store is closed: it says why, and what can be done.

use std::{convert::Infallible, io, sync::Arc, time::Instant};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{DaemonStatus, Note, Request, Response},
    state::StateRequest,
};
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    time::sleep,
};
use tracing::{debug, warn};

use super::{
    ACCEPT_PAUSE, Roles, admit,
    connection::Connection,
    limits::Limits,
    roles::{self, Role},
    state::send_record,
};
use crate::store::{self, Location};

/// A request to open the store without what can't be read, and the way to answer it.
pub(crate) type RepairRequest = oneshot::Sender<Result<(), Note>>;

/// What is known while the store is closed.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) roles: Arc<Roles>,
    pub(crate) location: Location,
    pub(crate) started: Instant,
    /// Why it is closed. Its sender is gone once it is open.
    pub(crate) why: watch::Receiver<Note>,
    pub(crate) repair: mpsc::Sender<RepairRequest>,
}

/// Accepts connections until it is dropped; each ends after the answer that it is waiting for.
pub(crate) async fn serve_closed(listener: &Listener, closed: &Closed) -> Infallible {
    let limits = Limits::default();
    loop {
        match listener.accept().await {
            Ok(stream) => {
                tokio::spawn(converse(stream, limits.clone(), closed.clone()));
            }
            Err(error) => {
                warn!(%error, "accepting a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(stream: Stream, limits: Limits, closed: Closed) {
    if let Err(error) = closed.serve(stream, &limits).await {
        debug!(%error, "a connection failed");
    }
}

impl Closed {
    async fn serve(mut self, stream: Stream, limits: &Limits) -> io::Result<()> {
        let Some((mut connection, role)) = admit(stream, limits, &self.roles).await? else {
            return Ok(());
        };
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
            if let Err(error) = self.answer(request, role, &mut connection).await? {
                connection.send(&Response::Error(error)).await?;
            }
        }
    }

    async fn answer(
        &self,
        request: Result<Request, ErrorBody>,
        role: Option<Role>,
        connection: &mut Connection,
    ) -> io::Result<Result<(), ErrorEnvelope>> {
        let request = request.and_then(|request| {
            roles::check(role, &request)?;
            Ok(request)
        });
        let answer = match request {
            Ok(Request::Ping) => Ok(self.status()),
            Ok(Request::State(StateRequest::Check)) => self.report().await,
            Ok(Request::State(StateRequest::Repair)) => self.repair().await,
            Ok(Request::State(StateRequest::Acknowledge)) => {
                match store::acknowledge(&self.location) {
                    Ok(()) => self.report().await,
                    Err(error) => Err(ErrorBody::from(error).into()),
                }
            }
            Ok(Request::State(StateRequest::Export)) => return self.export(connection).await,
            Ok(_) => Err(self.refusal()),
            Err(error) => Err(error.into()),
        };
        match answer {
            Ok(response) => connection.send(&response).await.map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn status(&self) -> Response {
        Response::Pong(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_secs: self.started.elapsed().as_secs_f64(),
            queued: 0,
            running: 0,
            workers: Vec::new(),
            paused: Some("the store is closed".to_owned()),
            degraded: vec![self.why.borrow().clone()],
        })
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

    async fn export(&self, connection: &mut Connection) -> io::Result<Result<(), ErrorEnvelope>> {
        match store::records_of_journal(self.location.clone()).await {
            Ok(records) => {
                for record in &records {
                    send_record(record, connection).await?;
                }
                connection.send(&Response::End).await.map(Ok)
            }
            Err(error) => Ok(Err(ErrorBody::from(error).into())),
        }
    }
}
