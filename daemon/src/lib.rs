//! The daemon: job files in, videos and reports out.
//!
//! # Layout
//!
//! - `spool`: the jobs folder, in a thread of its own
//! - `intake`: a job file's text → a job that can be queued; the way in for folder and socket
//! - `inputs`: the start images, opened beneath the configured roots and copied
//! - `outputs`: the folders of videos, without links
//! - `queue`: the one owner of all jobs; everybody else sends it messages
//! - `chronicle`: what happens to jobs, told to the log, to systemd and to the figures
//! - `doctor`: what rendering takes of the machine; `gpu`: what NVIDIA's library says; `metrics`: the figures
//! - `log`: the journal or stderr, and a file for each job
//! - `notify`: systemd's readiness, watchdog and status
//! - `store`: sled and a journal, the truth about jobs
//! - `opening`: the store opened, or a socket that says why it is not
//! - `disk`: free space
//! - `worker`: one supervisor for each device, with its `framepack-worker` process
//! - `render`: a job's record → the worker's request
//! - `report`: what became of a dropped file
//! - `server`: the Unix socket, one file a command
//! - `state_dir`: the state directory, its lock and the daemon's identity
//!
//! No libtorch here: a fault of the device ends a worker, not the daemon.

mod chronicle;
mod disk;
mod doctor;
mod gpu;
mod inputs;
mod intake;
mod log;
mod metrics;
mod notify;
mod opening;
mod outputs;
mod queue;
mod render;
mod report;
mod server;
mod shutdown;
mod spool;
mod state_dir;
mod store;
mod worker;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use framepack_config::{BundleDefaults, Config};
use framepack_ipc::control::WorkerState;
use tokio::{
    select,
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tracing::{info, warn};

pub use self::log::start as start_log;

use self::{
    chronicle::Chronicle,
    doctor::Surroundings,
    gpu::Gpus,
    inputs::Inputs,
    intake::Intake,
    metrics::{Metrics, Totals},
    notify::Notify,
    opening::open_store,
    outputs::promise::Owner,
    queue::{Queue, QueueHandle},
    render::Renderer,
    server::{Roles, Service},
    shutdown::Trigger,
    spool::{Spool, SpoolConfig},
    state_dir::StateDir,
    store::{Record, Store},
    worker::{Employer, Supervisor},
};

/// Time for the workers to end after the wish to stop; each needs a second at most, unless it has to be killed.
const WORKERS_GRACE: Duration = Duration::from_secs(20);

/// Runs the daemon until `stop` resolves, then stops it cleanly: a running job goes back into the queue.
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(stop);
    let config = with_folders(config)?;
    let program = worker_program(&config)?;
    let state = StateDir::open(&config.paths.state)?;
    let roles = Arc::new(Roles::resolve(&config.socket)?);
    let listener = server::bind(&config.paths.socket)?;

    let intake = Intake {
        inputs: Inputs::new(config.paths.inputs.clone(), state.layout().inputs()),
        bundle: BundleDefaults::read(&config.models.bundle)?,
    };
    let (spool_events, spool_inbox) = mpsc::channel();
    let (spool_told, told) = watch::channel(spool::View::default());
    let gpus = Gpus::watch();
    let notify = Notify::from_environment();
    let location = state.store(config.disk.floor_mib);
    let opened = select! {
        opened = open_store(location, &listener, Arc::clone(&roles), &notify) => opened,
        () = &mut stop => return Ok(()),
    };
    let store = opened.0.view();
    let (queue, queue_task) = open_queue(
        opened,
        &config,
        &state,
        &intake,
        spool_events.clone(),
        &gpus,
    )
    .await?;
    let spool = Spool::open(SpoolConfig {
        config: &config,
        layout: &state.layout(),
        daemon_id: state.daemon_id(),
        intake: intake.clone(),
        queue: queue.clone(),
        events: spool_events.clone(),
        told: spool_told,
    })
    .with_context(|| format!("preparing {}", config.paths.jobs.display()))?;

    let (trigger, shutdown) = Trigger::new();
    let (spool, spool_ended) = start_spool(spool, spool_inbox)?;
    let (supervisors, planners, switches) = worker::supervisors(&Employer {
        config: &config,
        program: &program,
        state_dir: state.path(),
        queue: &queue,
        shutdown: &shutdown,
    });
    let workers = start_workers(supervisors).await?;
    let metrics = start_metrics(&config, &queue, &gpus, &told);
    let totals = metrics.totals.clone();
    let service = Service {
        queue: queue.clone(),
        intake,
        renderer: renderer(&config, &state),
        planners,
        spool: told,
        spool_events: spool_events.clone(),
        switches,
        store,
        started: metrics.started,
        roles,
        layout: state.layout(),
        metrics,
        surroundings: Arc::new(Surroundings {
            config: config.clone(),
            worker: program.clone(),
        }),
    };
    let server = tokio::spawn(server::serve(listener, service, shutdown));
    tell_of_life(&notify, &queue, totals, gpus);
    info!(
        jobs = %config.paths.jobs.display(),
        outputs = %config.paths.outputs.display(),
        socket = %config.paths.socket.display(),
        "framepackd {} is ready", env!("CARGO_PKG_VERSION")
    );

    let lost = select! {
        () = &mut stop => None,
        _ = queue_task => Some("the queue"),
        _ = spool_ended => Some("the thread of the jobs folder"),
    };
    info!("stopping");
    notify.stopping();
    trigger.fire();
    server.await.context("the server panicked")?;
    // The spool may be waiting for the queue, which still answers.
    let _ = spool_events.send(spool::Event::Stop);
    let spool = tokio::task::spawn_blocking(|| spool.join()).await?;
    if timeout(WORKERS_GRACE, workers.join_all()).await.is_err() {
        warn!("a worker did not end in time and is killed");
    }
    queue.stop().await;
    if let Some(part) = lost {
        bail!("{part} ended by itself; no job is lost: see the log, and start framepackd again");
    }
    spool.map_err(|_| anyhow!("the spool panicked"))?;
    info!("stopped");
    Ok(())
}

/// Creates missing folders and resolves all of them, so that every path handed on is absolute and free of links.
fn with_folders(mut config: Config) -> Result<Config> {
    if !config.models.bundle.is_dir() {
        warn!(bundle = %config.models.bundle.display(), "there is no model bundle: jobs will fail");
    }
    let paths = &mut config.paths;
    if let Some(folder) = paths.socket.parent() {
        resolve(folder)?;
    }
    for folder in [&mut paths.jobs, &mut paths.state, &mut paths.outputs] {
        *folder = resolve(folder)?;
    }
    // Both spellings: people also name images by the path that they configured.
    let resolved: Result<Vec<PathBuf>> = paths.inputs.iter().map(|root| resolve(root)).collect();
    paths.inputs.extend(resolved?);
    paths.inputs.sort();
    paths.inputs.dedup();
    Ok(config)
}

fn resolve(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let resolved = folder
        .canonicalize()
        .with_context(|| format!("resolving {}", folder.display()))?;
    if resolved.to_str().is_none() {
        bail!(
            "{} is not UTF-8, as paths in records and messages are",
            resolved.display()
        );
    }
    Ok(resolved)
}

/// The worker binary: as configured, or the sibling of this one.
fn worker_program(config: &Config) -> Result<PathBuf> {
    let program = match &config.worker.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()
            .context("finding this program")?
            .with_file_name("framepack-worker"),
    };
    if !program.is_file() {
        bail!(
            "there is no worker at {}: build it, or set worker.program",
            program.display()
        );
    }
    Ok(program)
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
    let queue = queue.await.context("writing the store")?;
    Ok(queue.yielding_to(gpus.clone()).start())
}

/// The thread of the jobs folder, and what is closed when it ends, however it does.
fn start_spool(
    spool: Spool,
    inbox: mpsc::Receiver<spool::Event>,
) -> Result<(thread::JoinHandle<()>, oneshot::Receiver<()>)> {
    let (alive, ended) = oneshot::channel();
    let thread = thread::Builder::new().name("spool".into()).spawn(move || {
        let _alive: oneshot::Sender<()> = alive;
        spool.run(&inbox);
    })?;
    Ok((thread, ended))
}

/// The daemon's figures, which from now on are in their file, too, if one is configured.
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

/// Tells systemd that the daemon is ready, and from now on what happens.
fn tell_of_life(notify: &Notify, queue: &QueueHandle, totals: Totals, gpus: Gpus) {
    notify.ready();
    tokio::spawn(notify::beat(notify.clone(), queue.clone()));
    let chronicle = Chronicle {
        queue: queue.clone(),
        notify: notify.clone(),
        totals,
        gpus,
    };
    tokio::spawn(chronicle.run());
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
