//! The socket's file, and the connections that come in through it.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use interprocess::local_socket::{
    GenericFilePath, ListenerOptions, ToFsName,
    tokio::{Listener, Stream, prelude::*},
};
use nix::unistd::{Gid, Uid};
use tokio::time::sleep;
use tracing::warn;

use super::{connection::Connection, limits::Limits};
use crate::{roles::Peer, start_error::StartError};

/// The daemon's user and group may connect.
const SOCKET_MODE: u32 = 0o660;
/// Pause after a connection could not be accepted: want of file descriptors lasts for a while.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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

/// The next connection.
pub(super) async fn accept(listener: &Listener) -> Stream {
    loop {
        match listener.accept().await {
            Ok(stream) => return stream,
            Err(error) => {
                warn!(%error, "accepting a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Lets a client in and shakes hands; `None` when that came to nothing.
pub(super) async fn admit(
    stream: Stream,
    limits: &Limits,
) -> io::Result<Option<(Connection, Peer)>> {
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
    let agreed = connection.shake_hands().await?;
    Ok(agreed.then_some((connection, peer)))
}
