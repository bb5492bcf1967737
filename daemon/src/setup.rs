//! What has to be there before the daemon starts: folders, programs, the state directory, the socket.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use framepack_config::{Config, Loaded};
use framepack_jobs::settings::Setting;
use interprocess::local_socket::tokio::Listener;
use tokio::{sync::oneshot, time::interval};
use tracing::warn;

use crate::{
    disk::{Disk, Owner},
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
    pub(crate) worker: std::path::PathBuf,
    pub(crate) state: StateDir,
    pub(crate) roles: Arc<Roles>,
    pub(crate) listener: Listener,
}

impl Setup {
    /// Makes and opens what the configuration names. Waits for shares that do not answer.
    pub(crate) async fn prepare(loaded: Loaded) -> Result<Self, StartError> {
        loaded.notices.iter().for_each(|notice| warn!("{notice}"));
        let config = prepared(loaded.config).await?;
        let worker = folders::worker_program(&config)?;
        if !config.models.bundle.is_dir() {
            warn!(bundle = %config.models.bundle.display(), "no model bundle: jobs will fail");
        }
        Ok(Self {
            worker,
            state: StateDir::open(&config.paths.state)?,
            roles: Arc::new(Roles::resolve(&config.socket)?),
            listener: server::bind(&config.paths.socket)?,
            settings: loaded.settings,
            config,
        })
    }
}

/// The folders, made and resolved in a thread that may wait for them. The log says which one is waited for.
async fn prepared(config: Config) -> Result<Config, StartError> {
    let current = Arc::new(Mutex::new(config.paths.jobs.clone()));
    let (done, mut prepared) = oneshot::channel();
    let folder = Arc::clone(&current);
    let note = move |path: &Path| {
        path.clone_into(&mut folder.lock().unwrap_or_else(PoisonError::into_inner));
    };
    thread::spawn(move || {
        // Nobody waits any more when the daemon is told to stop.
        let _ = done.send(folders::prepared(config, note));
    });
    let mut beats = interval(PATIENCE);
    beats.tick().await;
    loop {
        tokio::select! {
            config = &mut prepared => return config.expect("the thread answers, or the process has aborted"),
            _ = beats.tick() => {
                let path = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
                warn!(path = %path.display(), "does not answer: waiting for it to start");
            }
        }
    }
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
