//! The Unix socket: one task a connection, one file a command.

mod cancel;
mod change;
mod closed;
mod config;
mod connection;
mod doctor;
mod enable;
mod limits;
mod list;
mod logs;
mod metrics;
mod ping;
mod plan;
mod roles;
mod scan;
mod show;
mod state;
mod submit;
mod watch;

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{Request, Response},
};
use framepack_jobs::{Code, settings::Setting};
use interprocess::local_socket::{
    GenericFilePath, ListenerOptions, ToFsName,
    tokio::{Listener, Stream, prelude::*},
};
use tokio::{select, sync::watch as latest, task::JoinSet, time::sleep};
use tracing::{debug, warn};

use nix::unistd::{Gid, Uid};

pub(crate) use self::{
    closed::{Closed, RepairRequest, serve_closed},
    roles::Roles,
};
use self::{
    connection::Connection,
    limits::Limits,
    roles::{Peer, Role},
};
use crate::{
    cancellation::CancellationToken,
    disk::Disk,
    doctor::Doctor,
    folder::{Event, Intake, View},
    metrics::Metrics,
    queue::{QueueHandle, Stopping},
    render::Renderer,
    start_error::StartError,
    state_dir::Layout,
    store::StoreView,
    worker::{Planners, Switches},
};

/// The daemon's user and group may connect.
const SOCKET_MODE: u32 = 0o660;
/// Pause after a connection could not be accepted: want of file descriptors lasts for a while.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the commands work with.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) queue: QueueHandle,
    pub(crate) intake: Intake,
    pub(crate) renderer: Renderer,
    pub(crate) planners: Planners,
    /// How the jobs folder is.
    pub(crate) folder: latest::Receiver<View>,
    /// Where it is told to look.
    pub(crate) folder_events: mpsc::Sender<Event>,
    pub(crate) switches: Switches,
    pub(crate) store: StoreView,
    pub(crate) disk: Disk,
    pub(crate) started: Instant,
    pub(crate) roles: Arc<Roles>,
    pub(crate) layout: Layout,
    pub(crate) metrics: Metrics,
    pub(crate) doctor: Arc<Doctor>,
    /// What the daemon was started with.
    pub(crate) settings: Arc<[Setting]>,
}

/// Listens at the path; refuses when a daemon answers there already, and replaces a socket that a dead one left.
pub(crate) fn bind(path: &Path) -> Result<Listener, StartError> {
    remove_stale(path)?;
    let listen = || {
        let name = path.to_fs_name::<GenericFilePath>()?;
        let listener = ListenerOptions::new().name(name).create_tokio()?;
        fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
        Ok(listener)
    };
    listen().map_err(|error| StartError::Socket {
        path: path.to_owned(),
        error,
    })
}

fn remove_stale(path: &Path) -> Result<(), StartError> {
    use interprocess::local_socket::prelude::*;
    let unusable = |error| StartError::Socket {
        path: path.to_owned(),
        error,
    };
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(StartError::NoSocket {
            path: path.to_owned(),
        });
    }
    let name = path.to_fs_name::<GenericFilePath>().map_err(unusable)?;
    if interprocess::local_socket::Stream::connect(name).is_ok() {
        return Err(StartError::SocketInUse {
            path: path.to_owned(),
        });
    }
    fs::remove_file(path).map_err(unusable)
}

/// Accepts connections until the daemon stops; then hangs up on all of them.
pub(crate) async fn serve(listener: Listener, service: Service, mut shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    let limits = Limits::default();
    loop {
        select! {
            stream = listener.accept() => match stream {
                Ok(stream) => {
                    connections.spawn(converse(stream, limits.clone(), service.clone()));
                }
                Err(error) => {
                    warn!(%error, "accepting a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn converse(stream: Stream, limits: Limits, service: Service) {
    if let Err(error) = service.serve(stream, &limits).await {
        debug!(%error, "a connection failed");
    }
}

/// Lets a client in and shakes hands; `None` when that came to nothing.
async fn admit(
    stream: Stream,
    limits: &Limits,
    roles: &Roles,
) -> io::Result<Option<(Connection, Option<Role>)>> {
    let credentials = stream.peer_creds()?;
    let (Some(user), Some(group)) = (credentials.euid(), credentials.egid()) else {
        return Err(io::Error::other(
            "the kernel does not report the client's user",
        ));
    };
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    let mut connection = match limits.admit(user) {
        Ok(permit) => Connection::new(stream, permit),
        Err(full) => {
            Connection::refuse(stream, full).await;
            return Ok(None);
        }
    };
    let peer = tokio::task::spawn_blocking(move || Peer::look_up(user, group)).await?;
    let role = roles.of(&peer);
    let agreed = connection.shake_hands().await?;
    Ok(agreed.then_some((connection, role)))
}

impl Service {
    async fn serve(&self, stream: Stream, limits: &Limits) -> io::Result<()> {
        match admit(stream, limits, &self.roles).await? {
            Some((mut connection, role)) => self.answer_all(&mut connection, role).await,
            None => Ok(()),
        }
    }

    async fn answer_all(&self, connection: &mut Connection, role: Option<Role>) -> io::Result<()> {
        while let Some(request) = connection.receive().await? {
            connection.permit().request().await;
            let request = request.and_then(|request| {
                roles::check(role, &request)?;
                Ok(request)
            });
            // Held until the answer has been taken: a user who does not read has few of them in memory.
            let _long = match &request {
                Ok(Request::List(_) | Request::Show(_)) => connection.permit().long_message().await,
                _ => None,
            };
            let answered = match request {
                Ok(Request::Watch(watched)) => match self.watch(&watched, connection).await? {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Ok(Request::Logs(request)) => match self.logs(&request, connection).await? {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Ok(Request::State(request)) => match self.state(request, connection).await? {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Ok(request) => self.answer(request).await,
                Err(error) => Err(error.into()),
            };
            let answered = match answered {
                Ok(Response::Jobs { jobs }) => {
                    list::send(jobs, connection).await?;
                    continue;
                }
                other => other,
            };
            connection
                .send(&answered.unwrap_or_else(Response::Error))
                .await?;
        }
        Ok(())
    }

    async fn answer(&self, request: Request) -> Result<Response, ErrorEnvelope> {
        match request {
            Request::Submit(request) => self.submit(request).await,
            Request::List(request) => self.list(request).await,
            Request::Show(request) => self.show(request).await,
            Request::Cancel(request) => self.cancel(request).await,
            Request::Queue => Ok(Response::Queue(self.queue.view().await?)),
            Request::Change(request) => self.change(request).await,
            Request::Plan(request) => self.plan(request).await,
            Request::Config => Ok(self.config()),
            Request::Metrics => self.metrics().await,
            Request::Doctor => self.doctor().await,
            Request::Scan => self.scan().await,
            Request::Ping => self.ping().await,
            Request::EnableDevice(request) => self.enable(request).await,
            Request::Hello(_) | Request::Watch(_) | Request::Logs(_) | Request::State(_) => {
                Err(ErrorBody::new(
                    Code::BAD_MESSAGE,
                    "hello is only accepted as the first message of a connection",
                )
                .into())
            }
        }
    }
}

impl From<Stopping> for ErrorEnvelope {
    fn from(stopping: Stopping) -> Self {
        ErrorBody::new(Code::SHUTTING_DOWN, stopping.to_string()).into()
    }
}
