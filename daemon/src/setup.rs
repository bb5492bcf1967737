//! What has to be there before the daemon starts: folders, programs, the state directory, the socket.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use framepack_config::{Config, Loaded};
use framepack_jobs::{BundleDefaults, settings::Setting};
use interprocess::local_socket::tokio::Listener;
use tokio::{sync::oneshot, time::interval};
use tracing::warn;

use crate::{
    disk::{Disk, Owner},
    folder::bundle_defaults,
    folders,
    render::Renderer,
    server::{self, Roles},
    start_error::StartError,
    state_dir::StateDir,
};

/// How often the log says that a folder is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// All of that.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    /// The same as users see it.
    pub(crate) settings: Vec<Setting>,
    /// What the model bundle prefers.
    pub(crate) bundle: BundleDefaults,
    pub(crate) worker: PathBuf,
    pub(crate) state: StateDir,
    pub(crate) roles: Arc<Roles>,
    pub(crate) listener: Listener,
}

impl Setup {
    /// Makes and opens what the configuration names. Waits for shares that do not answer.
    pub(crate) async fn prepare(loaded: Loaded) -> Result<Self, StartError> {
        loaded.notices.iter().for_each(|notice| warn!("{notice}"));
        let Found {
            config,
            bundle,
            worker,
        } = look(loaded.config).await?;
        Ok(Self {
            bundle,
            worker,
            state: StateDir::open(&config.paths.state)?,
            roles: Arc::new(Roles::resolve(&config.socket)?),
            listener: server::bind(&config.paths.socket)?,
            settings: loaded.settings,
            config,
        })
    }
}

/// What lies on disks that may not answer.
#[derive(Debug)]
struct Found {
    config: Config,
    bundle: BundleDefaults,
    worker: PathBuf,
}

/// Looks in a thread that may wait for the disks. The log says which path is waited for.
async fn look(config: Config) -> Result<Found, StartError> {
    let current = Arc::new(Mutex::new(PathBuf::new()));
    let (done, mut found) = oneshot::channel();
    let path = Arc::clone(&current);
    let about_to = move |next: &Path| {
        next.clone_into(&mut path.lock().unwrap_or_else(PoisonError::into_inner));
    };
    thread::spawn(move || {
        // Nobody waits any more when the daemon is told to stop.
        let _ = done.send(find(config, about_to));
    });
    let mut beats = interval(PATIENCE);
    beats.tick().await;
    loop {
        tokio::select! {
            found = &mut found => return found.expect("the thread answers, or the process has aborted"),
            _ = beats.tick() => {
                let path = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
                warn!(path = %path.display(), "does not answer: waiting for it to start");
            }
        }
    }
}

/// `about_to` is told each path before it is touched.
fn find(config: Config, about_to: impl Fn(&Path)) -> Result<Found, StartError> {
    let config = folders::prepared(config, &about_to)?;
    let worker = folders::worker_program(&config)?;
    let bundle = &config.models.bundle;
    about_to(bundle);
    if !bundle.is_dir() {
        warn!(bundle = %bundle.display(), "no model bundle: jobs will fail");
    }
    Ok(Found {
        bundle: bundle_defaults(bundle)?,
        worker,
        config,
    })
}

/// What workers are asked for.
pub(crate) fn renderer(config: &Config, state: &StateDir) -> Renderer {
    Renderer {
        models: config.models.clone(),
        outputs: config.paths.outputs.clone(),
        layout: state.layout(),
    }
}

/// The way to the disks.
pub(crate) fn disk(config: &Config, state: &StateDir) -> Disk {
    let owner = Owner::new(state.daemon_id());
    let outputs = config.paths.outputs.clone();
    Disk::new(outputs, owner, state.layout(), config.disk.reserve_mib)
}
