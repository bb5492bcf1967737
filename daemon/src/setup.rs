//! What has to be there before the daemon starts: folders, programs, the state directory, the socket.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use framepack_bundle::Look as BundleLook;
use framepack_config::{Config, Loaded, Models};
use framepack_ipc::control::Note;
use framepack_jobs::{BundleDefaults, Code, Failure, Model};
use interprocess::local_socket::tokio::Listener;
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tracing::warn;

use crate::{
    config_source::ConfigSource,
    disk::{Disk, LIMIT, Owner},
    folder::bundle_defaults,
    folders,
    lacking::DeviceLacks,
    notify::Notify,
    reload::Reloader,
    remedy::remedy,
    render::Renderer,
    roles::Roles,
    running::RunningConfig,
    server::{self, Closed, serve_closed},
    start_error::StartError,
    state_dir::StateDir,
};

/// All of that.
#[derive(Debug)]
pub(crate) struct Setup {
    /// What the daemon is started with.
    pub(crate) config: Config,
    /// What it runs with, and who replaces that.
    pub(crate) running: RunningConfig,
    pub(crate) reloader: Reloader,
    /// What the model bundle prefers.
    pub(crate) bundle: BundleDefaults,
    /// Why no job can use the bundle, as far as a look at it tells.
    pub(crate) bundle_fault: Option<Failure>,
    /// Weights of its transformer, in its files.
    pub(crate) transformer_bytes: u64,
    pub(crate) worker: PathBuf,
    pub(crate) front: Front,
}

/// What clients of a daemon meet first, and what keeps a second daemon out.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) state: StateDir,
    pub(crate) roles: Arc<Roles>,
    pub(crate) listener: Listener,
}

impl Setup {
    /// Makes and opens what the configuration names. As long as a path does not answer, the socket says so.
    pub(crate) async fn prepare(
        (loaded, source): (Loaded, ConfigSource),
        notify: &Notify,
    ) -> Result<Self, StartError> {
        loaded.notices.iter().for_each(|notice| warn!("{notice}"));
        let mut look = Look::start(loaded.config.clone());
        let (found, front) = if let Ok(found) = timeout(LIMIT, look.found()).await {
            let found = found?;
            let front = Front::open(&found.config)?;
            (found, front)
        } else {
            let front = Front::open(&loaded.config)?;
            let config = &loaded.config;
            (front.serve_until(look, config, notify).await?, front)
        };
        let runs = Loaded {
            config: found.config.clone(),
            ..loaded
        };
        let (reloader, running) = Reloader::new(source, runs, Arc::clone(&front.roles), notify);
        Ok(Self {
            config: found.config,
            running,
            reloader,
            bundle: found.bundle,
            bundle_fault: found.bundle_fault,
            transformer_bytes: found.transformer_bytes,
            worker: found.worker,
            front,
        })
    }
}

impl Front {
    fn open(config: &Config) -> Result<Self, StartError> {
        if let Some(folder) = config.paths.socket.parent() {
            folders::made(folder)?;
        }
        Ok(Self {
            state: StateDir::open(&folders::made(&config.paths.state)?)?,
            roles: Arc::new(Roles::resolve(&config.socket)?),
            listener: server::bind(&config.paths.socket)?,
        })
    }

    /// Tells clients which path is waited for.
    async fn serve_until(
        &self,
        mut look: Look,
        config: &Config,
        notify: &Notify,
    ) -> Result<Found, StartError> {
        let (tell, why) = watch::channel(look.note());
        // Nothing can be repaired by giving something up.
        let (repair, _) = mpsc::channel(1);
        let closed = Closed {
            roles: Arc::clone(&self.roles),
            location: self.state.store(config),
            started: Instant::now(),
            paused: "a path of the configuration does not answer",
            why,
            repair,
        };
        notify.ready();
        let (serving, living) = (serve_closed(&self.listener, &closed), notify.live());
        tokio::pin!(serving, living);
        loop {
            let note = look.note();
            warn!(code = %note.code, "{}", note.message);
            notify.status(&note.message);
            tell.send_replace(note);
            select! {
                never = &mut serving => match never {},
                never = &mut living => match never {},
                found = look.found() => return found,
                () = sleep(LIMIT) => {}
            }
        }
    }
}

/// What lies on disks that may not answer.
#[derive(Debug)]
struct Found {
    config: Config,
    bundle: BundleDefaults,
    bundle_fault: Option<Failure>,
    transformer_bytes: u64,
    worker: PathBuf,
}

/// A look at them, in a thread that may wait.
#[derive(Debug)]
struct Look {
    current: Arc<Mutex<PathBuf>>,
    found: oneshot::Receiver<Result<Found, StartError>>,
}

impl Look {
    fn start(config: Config) -> Self {
        let current = Arc::new(Mutex::new(PathBuf::new()));
        let (done, found) = oneshot::channel();
        let path = Arc::clone(&current);
        let about_to = move |next: &Path| {
            next.clone_into(&mut path.lock().unwrap_or_else(PoisonError::into_inner));
        };
        thread::spawn(move || {
            // Nobody waits any more when the daemon is told to stop.
            let _ = done.send(find(config, about_to));
        });
        Self { current, found }
    }

    async fn found(&mut self) -> Result<Found, StartError> {
        let found = (&mut self.found).await;
        found.expect("the thread answers, or the process has aborted")
    }

    /// The path that is waited for.
    fn note(&self) -> Note {
        let path = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let message = format!(
            "{} does not answer: the daemon waits for it to start",
            path.display()
        );
        Note::new(Code::SHARE_SILENT, message)
    }
}

/// `about_to` is told each path before it is touched.
fn find(config: Config, about_to: impl Fn(&Path)) -> Result<Found, StartError> {
    let config = folders::prepared(config, &about_to)?;
    let worker = folders::worker_program(&config)?;
    let bundle = &config.models.bundle;
    about_to(bundle);
    // The models may not be fetched yet, and a machine may have started before their disk is mounted.
    let look = framepack_bundle::look(bundle, config.models.f1_bundle.as_deref());
    Ok(Found {
        bundle: bundle_defaults(bundle)?,
        bundle_fault: fault(&config.models, &look),
        transformer_bytes: look.transformer_bytes,
        worker,
        config,
    })
}

/// What every job would meet; what only some would, is left to them.
fn fault(models: &Models, look: &BundleLook) -> Option<Failure> {
    let first = look.findings.first()?;
    let is_of_all = Model::ALL.iter().all(|model| !look.is_sound_for(*model));
    is_of_all.then(|| Failure {
        hint: Some(remedy(models, first.code, first.model)),
        ..Failure::new(first.code, first.message.clone())
    })
}

/// What workers are asked for.
pub(crate) fn renderer(
    running: &RunningConfig,
    bundle: BundleDefaults,
    state: &StateDir,
    lacks: DeviceLacks,
) -> Renderer {
    let config = &running.now().config;
    Renderer {
        models: config.models.clone(),
        outputs: config.paths.outputs.clone(),
        layout: state.layout(),
        running: running.clone(),
        bundle,
        lacks,
    }
}

/// The way to the disks.
pub(crate) fn disk(config: &Config, state: &StateDir) -> Disk {
    let owner = Owner::new(state.daemon_id());
    let outputs = config.paths.outputs.clone();
    Disk::new(outputs, owner, state.layout(), config.disk.reserve_mib)
}
