//! The daemon: job files in, videos and reports out.
//!
//! # Layout
//!
//! - `spool`: the jobs folder, in a thread of its own
//! - `intake`: a job file's text → a job that can be queued; the way in for folder and socket
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
mod folders;
mod gpu;
mod inputs;
mod intake;
mod job_observer;
mod log;
mod metrics;
mod notify;
mod offline;
mod opening;
mod outputs;
mod queue;
mod record;
mod render;
mod retention;
mod server;
mod spool;
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
    doctor::Doctor,
    gpu::Gpus,
    inputs::Inputs,
    intake::{Intake, bundle_defaults},
    job_observer::JobObserver,
    metrics::{Metrics, Totals},
    notify::Notify,
    opening::open_store,
    outputs::reservation::Owner,
    queue::{Queue, QueueHandle},
    record::Record,
    render::Renderer,
    retention::Retention,
    server::{Roles, Service},
    spool::{Spool, SpoolConfig},
    state_dir::StateDir,
    store::Store,
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

    let intake = Intake {
        inputs: Inputs::new(config.paths.inputs.clone(), state.layout().inputs()),
        bundle: bundle_defaults(&config.models.bundle)?,
        farm_defaults: config.farm_defaults.clone(),
    };
    let (spool_events, spool_inbox) = mpsc::channel();
    let (spool_sender, spool_view) = watch::channel(spool::View::default());
    let gpus = Gpus::watch();
    let notify = Notify::from_environment();
    let location = state.store(config.disk.floor_mib);
    let opened = select! {
        opened = open_store(location, &listener, Arc::clone(&roles), &notify) => opened,
        () = &mut stop => return Ok(()),
    };
    let store = opened.0.view();
    let finished = spool_events.clone();
    let (queue, queue_task) = open_queue(opened, &config, &state, &intake, finished, &gpus).await?;
    let spool = Spool::open(SpoolConfig {
        config: &config,
        layout: &state.layout(),
        daemon_id: state.daemon_id(),
        intake: intake.clone(),
        queue: queue.clone(),
        events: spool_events.clone(),
        view: spool_sender,
    })
    .map_err(|error| folders::unusable("preparing", &config.paths.jobs, error))?;
    let (spool, spool_ended) = start_spool(spool, spool_inbox)?;

    let (cancellation, shutdown) = CancellationSource::new();
    let (supervisors, planners, switches) = worker::supervisors(&SupervisorContext {
        config: &config,
        program: &program,
        state_dir: state.path(),
        queue: &queue,
        shutdown: &shutdown,
    });
    let workers = start_workers(supervisors).await?;
    let metrics = start_metrics(&config, &queue, &gpus, &spool_view);
    let totals = metrics.totals.clone();
    let service = Service {
        queue: queue.clone(),
        intake,
        renderer: renderer(&config, &state),
        planners,
        jobs: config.paths.jobs.clone(),
        spool: spool_view,
        spool_events: spool_events.clone(),
        switches,
        store,
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
        _ = spool_ended => Some("the jobs folder's thread"),
    };
    let parts = Parts {
        notify,
        cancellation,
        server,
        spool_events,
        spool,
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
    let outputs = config.paths.outputs.clone();
    let owner = Owner::new(state.daemon_id());
    Renderer::new(config.models.clone(), outputs, owner, state.layout())
        .reserving(config.disk.reserve_mib)
}

async fn open_queue(
    opened: (Store, Vec<Record>),
    config: &Config,
    state: &StateDir,
    intake: &Intake,
    finished: mpsc::Sender<spool::Event>,
    gpus: &Gpus,
) -> Result<(QueueHandle, JoinHandle<()>)> {
    let (renderer, max_jobs) = (renderer(config, state), config.queue.max_jobs);
    let queue = Queue::open(opened, &intake.inputs, renderer, max_jobs, finished);
    let queue = queue.await.map_err(StartError::from)?;
    Ok(queue.yielding_to(gpus.clone()).start())
}

/// What runs, and has to be stopped in order.
struct Parts {
    notify: Notify,
    cancellation: CancellationSource,
    server: JoinHandle<()>,
    spool_events: mpsc::Sender<spool::Event>,
    spool: thread::JoinHandle<()>,
    workers: JoinSet<()>,
    queue: QueueHandle,
}

impl Parts {
    async fn stop(self) -> Result<()> {
        info!("stopping");
        self.notify.stopping();
        self.cancellation.cancel();
        self.server.await.context("the server panicked")?;
        // The spool may be waiting for the queue, which still answers.
        let _ = self.spool_events.send(spool::Event::Stop);
        let spool = spawn_blocking(|| self.spool.join()).await?;
        let workers = self.workers.join_all();
        if timeout(WORKERS_GRACE, workers).await.is_err() {
            warn!("a worker did not exit in time; killing it");
        }
        self.queue.stop().await;
        spool.map_err(|_| anyhow!("the spool panicked"))
    }
}

/// The jobs folder's thread, and what closes when it ends, however it does.
fn start_spool(
    spool: Spool,
    inbox: mpsc::Receiver<spool::Event>,
) -> io::Result<(thread::JoinHandle<()>, oneshot::Receiver<()>)> {
    let (alive, ended) = oneshot::channel::<()>();
    let thread = thread::Builder::new().name("spool".into());
    let thread = thread.spawn(move || {
        let _alive = alive;
        spool.run(&inbox);
    })?;
    Ok((thread, ended))
}

/// The daemon's metrics; from now on they are kept in a file, too, if one is configured.
fn start_metrics(
    config: &Config,
    queue: &QueueHandle,
    gpus: &Gpus,
    spool: &watch::Receiver<spool::View>,
) -> Metrics {
    let metrics = Metrics {
        queue: queue.clone(),
        totals: Totals::default(),
        gpus: gpus.clone(),
        folders: metrics::folders(&config.paths),
        spool: spool.clone(),
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
