//! The daemon: job files in, videos and reports out.
//!
//! # Layout
//!
//! - `folder`: the jobs folder, in a thread of its own, and its `intake`: a job file's text → a job that can be queued,
//!   the way in for folder and socket
//! - `inputs`: the start images, opened beneath the configured roots and copied
//! - `outputs`: the folders of videos, without links, and the reservation of their names
//! - `queue`: the one owner of all jobs; everybody else sends it messages
//! - `start_error`: why the daemon does not start; `folders`: those of the configuration
//! - `offline`: `framepackd state`, while no daemon runs
//! - `job_observer`: what happens to jobs, for the log, systemd and the metrics
//! - `doctor`: checks of what rendering needs; `gpu`: what NVIDIA's library reports; `metrics`: OpenMetrics text
//! - `log`: the journal or stderr, and a file for each job
//! - `notify`: systemd's readiness, watchdog and status
//! - `store`: sled and a journal, the truth about jobs
//! - `opening`: the store opened, or a socket that says why it is not
//! - `disk`: free space; `file`: files at a moment, and files that a crash leaves whole
//! - `worker`: one supervisor for each device, with its `framepack-worker` process
//! - `retention`: removes old jobs' files from the state directory
//! - `cancellation`: how every task notices that the daemon is to stop
//! - `render`: a job's record → the worker's request
//! - `record`: a job as it is stored, what became of a dropped file, and ids
//! - `server`: the Unix socket, one file a command
//! - `state_dir`: the state directory, its lock and the daemon's identity
//!
//! No libtorch here: a fault of the device ends a worker, not the daemon.

mod cancellation;
mod disk;
mod doctor;
mod file;
mod folder;
mod folders;
mod gpu;
mod job_observer;
mod log;
mod metrics;
mod notify;
mod offline;
mod opening;
mod queue;
mod record;
mod render;
mod retention;
mod server;
mod start_error;
mod state_dir;
mod store;
mod worker;

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use framepack_config::{Config, Loaded, Paths};
use framepack_ipc::control::WorkerState;
use tokio::{
    select,
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::timeout,
};
use tracing::{info, warn};

pub use self::{
    log::start as start_log,
    offline::{StateAction, state},
    start_error::StartError,
};

use self::{
    cancellation::CancellationSource,
    disk::{Disk, Owner},
    doctor::Doctor,
    folder::{Event, Folder, FolderConfig, Intake, View, bundle_defaults, ended_jobs},
    gpu::Gpus,
    job_observer::JobObserver,
    metrics::{Metrics, Totals},
    notify::Notify,
    opening::open_store,
    queue::{Actor, QueueConfig, QueueHandle},
    render::Renderer,
    retention::Retention,
    server::{Roles, Service},
    state_dir::StateDir,
    worker::{Supervisor, SupervisorContext},
};

/// Time for the workers to end when the daemon stops; each needs a second at most, unless it has to be killed.
const WORKERS_GRACE: Duration = Duration::from_secs(20);

/// Runs the daemon until `stop` resolves, then stops it cleanly: a running job goes back into the queue.
pub async fn run(loaded: Loaded, stop: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(stop);
    loaded.notices.iter().for_each(|notice| warn!("{notice}"));
    let config = folders::prepared(loaded.config)?;
    let program = folders::worker_program(&config)?;
    if !config.models.bundle.is_dir() {
        warn!(bundle = %config.models.bundle.display(), "no model bundle: jobs will fail");
    }
    let state = StateDir::open(&config.paths.state)?;
    let roles = Arc::new(Roles::resolve(&config.socket)?);
    let listener = server::bind(&config.paths.socket)?;

    let disk = disk_of(&config, &state);
    let intake = Intake {
        images: disk.images(config.paths.inputs.clone()),
        bundle: bundle_defaults(&config.models.bundle)?,
        farm_defaults: config.farm_defaults.clone(),
    };
    let (folder_events, folder_inbox) = mpsc::channel();
    let (folder_sender, folder_view) = watch::channel(View::default());
    let gpus = Gpus::watch();
    let notify = Notify::from_environment();
    let location = state.store(config.disk.floor_mib);
    let opened = select! {
        opened = open_store(location, &listener, Arc::clone(&roles), &notify) => opened,
        () = &mut stop => return Ok(()),
    };
    let store = opened.0.view();
    let queue = QueueConfig {
        renderer: renderer(&config, &state),
        disk: disk.clone(),
        gpus: gpus.clone(),
        max_jobs: config.queue.max_jobs,
        ended: ended_jobs(folder_events.clone())?,
    };
    let queue = Actor::open(opened, queue).await.map_err(StartError::from)?;
    let (queue, queue_task) = queue.start();
    let folder = Folder::open(FolderConfig {
        config: &config,
        layout: &state.layout(),
        daemon_id: state.daemon_id(),
        intake: intake.clone(),
        queue: queue.clone(),
        disk: disk.clone(),
        events: folder_events.clone(),
        view: folder_sender,
    })
    .map_err(|error| folders::unusable("preparing", &config.paths.jobs, error))?;
    let (folder, folder_ended) = start_folder(folder, folder_inbox)?;

    let (cancellation, shutdown) = CancellationSource::new();
    let (supervisors, planners, switches) = worker::supervisors(&SupervisorContext {
        config: &config,
        program: &program,
        state_dir: state.path(),
        queue: &queue,
        shutdown: &shutdown,
    });
    let workers = start_workers(supervisors).await?;
    let metrics = start_metrics(&config, &queue, &gpus, &folder_view);
    let totals = metrics.totals.clone();
    let service = Service {
        queue: queue.clone(),
        intake,
        renderer: renderer(&config, &state),
        planners,
        folder: folder_view,
        folder_events: folder_events.clone(),
        switches,
        store,
        disk,
        started: metrics.started,
        roles,
        layout: state.layout(),
        metrics,
        doctor: Arc::new(Doctor {
            config: config.clone(),
            worker: program.clone(),
        }),
        settings: loaded.settings.into(),
    };
    let server = tokio::spawn(server::serve(listener, service, shutdown));
    notify_systemd(&notify, &queue, totals, gpus);
    let retention = Retention {
        rules: config.retention,
        layout: state.layout(),
        queue: queue.clone(),
    };
    tokio::spawn(retention.run());
    say_ready(&config.paths);

    let lost = select! {
        () = &mut stop => None,
        _ = queue_task => Some("the queue"),
        _ = folder_ended => Some("the jobs folder's thread"),
    };
    let parts = Parts {
        notify,
        cancellation,
        server,
        folder_events,
        folder,
        workers,
        queue,
    };
    parts.stop().await?;
    if let Some(part) = lost {
        bail!("{part} ended unexpectedly; no job is lost: see the log, and restart framepackd");
    }
    info!("stopped");
    Ok(())
}

fn renderer(config: &Config, state: &StateDir) -> Renderer {
    Renderer {
        models: config.models.clone(),
        outputs: config.paths.outputs.clone(),
        layout: state.layout(),
    }
}

fn disk_of(config: &Config, state: &StateDir) -> Disk {
    let owner = Owner::new(state.daemon_id());
    let outputs = config.paths.outputs.clone();
    Disk::new(outputs, owner, state.layout(), config.disk.reserve_mib)
}

/// What runs, and has to be stopped in order.
struct Parts {
    notify: Notify,
    cancellation: CancellationSource,
    server: JoinHandle<()>,
    folder_events: mpsc::Sender<Event>,
    folder: thread::JoinHandle<()>,
    workers: JoinSet<()>,
    queue: QueueHandle,
}

impl Parts {
    async fn stop(self) -> Result<()> {
        info!("stopping");
        self.notify.stopping();
        self.cancellation.cancel();
        self.server.await.context("the server panicked")?;
        // The folder's thread may be waiting for the queue, which still answers.
        let _ = self.folder_events.send(Event::Stop);
        let folder = spawn_blocking(|| self.folder.join()).await?;
        let workers = self.workers.join_all();
        if timeout(WORKERS_GRACE, workers).await.is_err() {
            warn!("a worker did not exit in time; killing it");
        }
        self.queue.stop().await;
        folder.map_err(|_| anyhow!("the spool panicked"))
    }
}

/// The jobs folder's thread, and what closes when it ends, however it does.
fn start_folder(
    folder: Folder,
    inbox: mpsc::Receiver<Event>,
) -> io::Result<(thread::JoinHandle<()>, oneshot::Receiver<()>)> {
    let (alive, ended) = oneshot::channel::<()>();
    let thread = thread::Builder::new().name("spool".into());
    let thread = thread.spawn(move || {
        let _alive = alive;
        folder.run(&inbox);
    })?;
    Ok((thread, ended))
}

/// The daemon's metrics; from now on they are kept in a file, too, if one is configured.
fn start_metrics(
    config: &Config,
    queue: &QueueHandle,
    gpus: &Gpus,
    folder: &watch::Receiver<View>,
) -> Metrics {
    let metrics = Metrics {
        queue: queue.clone(),
        totals: Totals::default(),
        gpus: gpus.clone(),
        folders: metrics::folders(&config.paths),
        folder: folder.clone(),
        started: Instant::now(),
    };
    if let Some(path) = &config.metrics.textfile {
        tokio::spawn(metrics.clone().keep(path.clone()));
    }
    metrics
}

fn say_ready(paths: &Paths) {
    info!(
        jobs = %paths.jobs.display(),
        outputs = %paths.outputs.display(),
        socket = %paths.socket.display(),
        "framepackd {} is ready", env!("CARGO_PKG_VERSION")
    );
}

/// Tells systemd that the daemon is ready, and keeps it informed from now on.
fn notify_systemd(notify: &Notify, queue: &QueueHandle, totals: Totals, gpus: Gpus) {
    notify.ready();
    tokio::spawn(notify::beat(notify.clone(), queue.clone()));
    let job_observer = JobObserver {
        queue: queue.clone(),
        notify: notify.clone(),
        totals,
        gpus,
    };
    tokio::spawn(job_observer.run());
}

async fn start_workers(supervisors: Vec<Supervisor>) -> Result<JoinSet<()>> {
    let mut workers = JoinSet::new();
    for mut supervisor in supervisors {
        // Before the first client can ask for the workers.
        supervisor.tell(WorkerState::Starting).await?;
        workers.spawn(supervisor.run());
    }
    Ok(workers)
}
