//! What the commands work with.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Instant,
};

use tokio::sync::watch;

use crate::{
    clock::Clock,
    disk::Disk,
    doctor::Doctor,
    events::EventsView,
    farm::Spaces,
    folder::{Event, Intake, View},
    metrics::Metrics,
    previews::Previews,
    queue::QueueHandle,
    reload::Reloader,
    render::Renderer,
    retention::Retention,
    running::RunningConfig,
    state_dir::Layout,
    store::StoreView,
    worker::{Announced, Inspections, Planners, Switches, Warmth},
};

/// The daemon's parts, as far as a command may ask them.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) queue: QueueHandle,
    pub(crate) intake: Intake,
    pub(crate) renderer: Renderer,
    pub(crate) planners: Planners,
    pub(crate) warmth: Warmth,
    pub(crate) inspections: Inspections,
    /// The jobs folder.
    pub(crate) jobs: PathBuf,
    /// How it is.
    pub(crate) folder: watch::Receiver<View>,
    /// Where it is told to look.
    pub(crate) folder_events: mpsc::Sender<Event>,
    pub(crate) switches: Switches,
    pub(crate) store: StoreView,
    /// What happened.
    pub(crate) events: EventsView,
    pub(crate) disk: Disk,
    pub(crate) spaces: Spaces,
    pub(crate) clock: Clock,
    pub(crate) started: Instant,
    pub(crate) reloader: Reloader,
    pub(crate) layout: Layout,
    pub(crate) previews: Previews,
    pub(crate) metrics: Metrics,
    pub(crate) doctor: Arc<Doctor>,
    pub(crate) retention: Retention,
    pub(crate) announced: Announced,
    pub(crate) running: RunningConfig,
}
