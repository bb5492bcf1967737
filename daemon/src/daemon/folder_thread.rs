//! The jobs folder's thread.

use std::{sync::mpsc, thread, time::Duration};

use anyhow::{Result, bail};
use tokio::{
    runtime,
    sync::{oneshot, watch},
    time::timeout,
};
use tracing::warn;

use super::core::Core;
use crate::{
    folder::{Event, Folder, FolderConfig, Intake, View},
    folders,
    running::RunningConfig,
    setup::Setup,
};

/// Time for the jobs folder's thread to begin and to end, when it may be waiting for a share.
const FOLDER_GRACE: Duration = Duration::from_secs(5);

/// The jobs folder's thread.
pub(super) struct FolderThread {
    pub(super) intake: Intake,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) view: watch::Receiver<View>,
    /// Closes when the thread ends, however it does.
    pub(super) ended: oneshot::Receiver<()>,
}

/// Tells the thread when the configuration was read again.
async fn tell_reloads(mut running: RunningConfig, folder: mpsc::Sender<Event>) {
    loop {
        running.changed().await;
        if folder.send(Event::Reloaded).is_err() {
            return;
        }
    }
}

impl FolderThread {
    /// The folder is opened in its thread, which may have to wait for it.
    pub(super) async fn start(
        setup: &Setup,
        core: &Core,
        (events, inbox): (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    ) -> Result<Self> {
        let config = &setup.config;
        let intake = Intake {
            images: core.disk.images(config.paths.inputs.clone()),
            bundle: setup.bundle,
            running: setup.running.clone(),
            lacks: core.lacks.clone(),
        };
        let (view_sender, view) = watch::channel(View::default());
        let folder = FolderConfig {
            running: setup.running.clone(),
            layout: setup.front.state.layout(),
            daemon_id: setup.front.state.daemon_id().to_owned(),
            intake: intake.clone(),
            queue: core.queue.clone(),
            inspections: core.inspections.clone(),
            disk: core.disk.clone(),
            clock: core.clock.clone(),
            events: events.clone(),
            view: view_sender,
        };
        tokio::spawn(tell_reloads(setup.running.clone(), events.clone()));
        let (opened, is_open) = oneshot::channel();
        let (alive, ended) = oneshot::channel::<()>();
        let runtime = runtime::Handle::current();
        let work = move || {
            let (_alive, _runtime) = (alive, runtime.enter());
            match Folder::open(folder) {
                Ok(folder) => {
                    let _ = opened.send(Ok(()));
                    folder.run(&inbox);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            }
        };
        thread::Builder::new().name("folder".into()).spawn(work)?;
        match timeout(FOLDER_GRACE, is_open).await {
            Ok(Ok(opened)) => {
                opened
                    .map_err(|error| folders::unusable("preparing", &config.paths.jobs, error))?;
            }
            Ok(Err(_)) => bail!("the jobs folder's thread ended before it had begun"),
            Err(_) => warn!("the jobs folder does not answer: nothing is taken from it yet"),
        }
        Ok(Self {
            intake,
            events,
            view,
            ended,
        })
    }

    /// What it is in the middle of when its share does not answer is found claimed by the next daemon.
    pub(super) async fn shut_down(self) {
        let _ = self.events.send(Event::Stop);
        if timeout(FOLDER_GRACE, self.ended).await.is_err() {
            warn!("the jobs folder does not answer: not waiting for it");
        }
    }
}
