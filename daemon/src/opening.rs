//! The store's opening: at once, or, where it can't be opened, with a socket that says why until it can.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use framepack_ipc::control::Note;

use interprocess::local_socket::tokio::Listener;
use tokio::{
    select,
    sync::{mpsc, watch},
    task::spawn_blocking,
    time::sleep,
};
use tracing::{error, info, warn};

use crate::{
    notify::Notify,
    record::Record,
    roles::Roles,
    server::{Closed, RepairRequest, serve_closed},
    store::{Location, Opening, Store, StoreError},
};

/// How often it is tried again.
const RETRY: Duration = Duration::from_secs(3);

/// Opens the store, however long that takes: it waits for room on the disk, or for a user to give up what can't be
/// read.
pub(crate) async fn open_store(
    location: Location,
    listener: &Listener,
    roles: Arc<Roles>,
    notify: &Notify,
) -> (Store, Vec<Record>) {
    let first = match open(&location, Opening::Careful).await {
        Ok(opened) => return opened,
        Err(error) => error,
    };
    let note = first.note();
    error!(code = %note.code, "no job is accepted: {first}");
    notify.ready();
    notify.status(&format!("the store is closed: {first}"));
    let (tell, why) = watch::channel(note);
    let (repair, mut repairs) = mpsc::channel(1);
    let closed = Closed {
        roles,
        location: location.clone(),
        started: Instant::now(),
        paused: "the store is closed",
        why,
        repair,
    };
    let serving = serve_closed(listener, &closed);
    let living = notify.live();
    tokio::pin!(serving, living);
    loop {
        let request = select! {
            never = &mut serving => match never {},
            never = &mut living => match never {},
            () = sleep(RETRY) => None,
            request = repairs.recv() => request,
        };
        let opening = match &request {
            Some(_) => Opening::Forced,
            None => Opening::Careful,
        };
        match open(&location, opening).await {
            Ok(opened) => {
                info!("the store is open");
                answer(request, Ok(()));
                return opened;
            }
            Err(error) => {
                let note = error.note();
                if *tell.borrow() != note {
                    warn!(code = %note.code, "the store is still closed: {error}");
                }
                answer(request, Err(note.clone()));
                tell.send_replace(note);
            }
        }
    }
}

fn answer(request: Option<RepairRequest>, outcome: Result<(), Note>) {
    if let Some(request) = request {
        // The client may have gone.
        let _ = request.send(outcome);
    }
}

async fn open(location: &Location, opening: Opening) -> Result<(Store, Vec<Record>), StoreError> {
    let location = location.clone();
    let opened = spawn_blocking(move || Store::open(&location, opening)).await;
    opened.unwrap_or_else(|panic| Err(StoreError::Panicked(panic.to_string())))
}
