//! What the commands work with.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Instant,
};

use framepack_jobs::settings::Setting;
use tokio::sync::watch;

use super::roles::Roles;
use crate::{
    clock::Clock,
    disk::Disk,
    doctor::Doctor,
    farm::Spaces,
    folder::{Event, Intake, View},
    metrics::Metrics,
    previews::Previews,
    queue::QueueHandle,
    render::Renderer,
    state_dir::Layout,
    store::StoreView,
    worker::{Inspections, Planners, Switches},
};

/// The daemon's parts, as far as a command may ask them.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) queue: QueueHandle,
    pub(crate) intake: Intake,
    pub(crate) renderer: Renderer,
    pub(crate) planners: Planners,
    pub(crate) inspections: Inspections,
    /// The jobs folder.
    pub(crate) jobs: PathBuf,
    /// How it is.
    pub(crate) folder: watch::Receiver<View>,
    /// Where it is told to look.
    pub(crate) folder_events: mpsc::Sender<Event>,
    pub(crate) switches: Switches,
    pub(crate) store: StoreView,
    pub(crate) disk: Disk,
    pub(crate) spaces: Spaces,
    pub(crate) clock: Clock,
    pub(crate) started: Instant,
    pub(crate) roles: Arc<Roles>,
    pub(crate) layout: Layout,
    pub(crate) previews: Previews,
    pub(crate) metrics: Metrics,
    pub(crate) doctor: Arc<Doctor>,
    /// What the daemon was started with.
    pub(crate) settings: Arc<[Setting]>,
}
