//! The socket's connections while the daemon works: one task for each.

use std::io;

use interprocess::local_socket::tokio::{Listener, Stream};
use tokio::{select, task::JoinSet};
use tracing::debug;

use super::{
    answer::answer,
    limits::Limits,
    listen::{accept, admit},
    roles::permitted,
    service::Service,
};
use crate::shutdown::Shutdown;

/// Accepts connections until the daemon stops; then hangs up on all of them.
pub(crate) async fn serve(listener: Listener, service: Service, mut shutdown: Shutdown) {
    let mut connections = JoinSet::new();
    let limits = Limits::default();
    loop {
        select! {
            stream = accept(&listener) => {
                connections.spawn(converse(stream, limits.clone(), service.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = shutdown.requested() => return,
        }
    }
}

async fn converse(stream: Stream, limits: Limits, service: Service) {
    if let Err(error) = answer_all(stream, &limits, &service).await {
        debug!(%error, "a connection failed");
    }
}

async fn answer_all(stream: Stream, limits: &Limits, service: &Service) -> io::Result<()> {
    let Some((mut connection, peer)) = admit(stream, limits).await? else {
        return Ok(());
    };
    while let Some(request) = connection.receive().await? {
        connection.permit().request().await;
        // Each time: the roles may have been read again meanwhile.
        let role = service.reloader.roles().of(&peer);
        let answered = match permitted(role, request) {
            Ok(request) => answer(request, service, &mut connection).await,
            Err(refused) => Err(refused.into()),
        };
        connection.conclude(answered).await?;
    }
    Ok(())
}
