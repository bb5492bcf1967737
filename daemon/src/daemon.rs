//! The daemon: its parts, started in the order in which they need each other, and shut down in the other one.

use std::{
    fs,
    future::Future,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use framepack_config::{Config, Loaded, Paths};
use framepack_ipc::control::WorkerState;
use framepack_jobs::{Job, Timestamp};
use tokio::{
    runtime, select,
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    clock::Clock,
    disk::Disk,
    doctor::Doctor,
    folder::{Event, Folder, FolderConfig, Intake, View, ended_jobs},
    folders,
    gpu::Gpus,
    job_observer::JobObserver,
    metrics::{self, Metrics, Totals},
    notify::{self, Notify},
    nvidia::Nvidia,
    opening::open_store,
    queue::{Actor, QueueConfig, QueueHandle},
    record::Record,
    retention::Retention,
    server::{self, Service},
    setup::{self, Front, Setup},
    shutdown::{Shutdown, Trigger},
    start_error::StartError,
    state_dir::StateDir,
    store::Store,
    worker::{self, Circumstances, Inspections, KnownGpus, Planners, SupervisorContext, Switches},
};

/// Time for the workers to end when the daemon stops; each needs a second at most, unless it has to be killed.
const WORKERS_GRACE: Duration = Duration::from_secs(20);
/// Time for the jobs folder's thread to begin and to end, when it may be waiting for a share.
const FOLDER_GRACE: Duration = Duration::from_secs(5);

/// Runs the daemon until `stop` resolves, then shuts it down cleanly: a running job goes back into the queue.
pub async fn run(loaded: Loaded, stop: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(stop);
    let notify = Notify::from_environment();
    let setup = select! {
        setup = Setup::prepare(loaded, &notify) => setup?,
        () = &mut stop => return Ok(()),
    };
    let Front {
        state,
        roles,
        listener,
    } = &setup.front;
    let location = state.store(setup.config.disk.floor_mib);
    let opened = select! {
        opened = open_store(location, listener, Arc::clone(roles), &notify) => opened,
        () = &mut stop => return Ok(()),
    };
    let paths = setup.config.paths.clone();
    let mut daemon = Daemon::start(setup, opened, notify).await?;
    say_ready(&paths);
    let lost = select! {
        () = &mut stop => None,
        part = daemon.part_lost() => Some(part),
    };
    daemon.shut_down().await?;
    if let Some(part) = lost {
        bail!("{part} ended unexpectedly; no job is lost: see the log, and restart framepackd");
    }
    info!("stopped");
    Ok(())
}

/// What runs.
struct Daemon {
    core: Core,
    folder: FolderThread,
    workers: Workers,
    server: JoinHandle<()>,
    trigger: Trigger,
    notify: Notify,
    /// Locked as long as anything runs.
    _state: StateDir,
}

/// The jobs, and what everybody else works with.
struct Core {
    disk: Disk,
    clock: Clock,
    gpus: Gpus,
    queue: QueueHandle,
    queue_task: JoinHandle<()>,
    inspections: Inspections,
}

/// The jobs folder's thread.
struct FolderThread {
    intake: Intake,
    events: mpsc::Sender<Event>,
    view: watch::Receiver<View>,
    /// Closes when the thread ends, however it does.
    ended: oneshot::Receiver<()>,
}

/// The supervisors of all devices, and the ways to their workers.
struct Workers {
    tasks: JoinSet<()>,
    planners: Planners,
    switches: Switches,
    known: KnownGpus,
}

impl Daemon {
    async fn start(setup: Setup, opened: (Store, Vec<Record>), notify: Notify) -> Result<Self> {
        let store = opened.0.view();
        let (events, inbox) = mpsc::channel();
        let core = Core::start(&setup, opened, ended_jobs(events.clone())?).await?;
        let folder = FolderThread::start(&setup, &core, (events, inbox)).await?;
        let (trigger, shutdown) = Shutdown::new();
        let workers = Workers::start(&setup, &core, &shutdown).await?;
        let metrics = start_metrics(&setup.config, &core, &folder.view);
        observe(&notify, &core, metrics.totals.clone());
        start_retention(&setup, &core);
        let service = Service {
            queue: core.queue.clone(),
            intake: folder.intake.clone(),
            renderer: setup::renderer(&setup.config, &setup.front.state),
            planners: workers.planners.clone(),
            inspections: core.inspections.clone(),
            jobs: setup.config.paths.jobs.clone(),
            folder: folder.view.clone(),
            folder_events: folder.events.clone(),
            switches: workers.switches.clone(),
            store,
            disk: core.disk.clone(),
            clock: core.clock.clone(),
            started: metrics.started,
            roles: setup.front.roles,
            layout: setup.front.state.layout(),
            metrics,
            doctor: Arc::new(Doctor {
                config: setup.config,
                worker: setup.worker,
                known: workers.known.clone(),
                host_bytes: host_bytes(),
            }),
            settings: setup.settings.into(),
        };
        Ok(Self {
            server: tokio::spawn(server::serve(setup.front.listener, service, shutdown)),
            core,
            folder,
            workers,
            trigger,
            notify,
            _state: setup.front.state,
        })
    }

    /// Waits for a part to end that nothing works without. Returns what it is.
    async fn part_lost(&mut self) -> &'static str {
        select! {
            _ = &mut self.core.queue_task => "the queue",
            _ = &mut self.folder.ended => "the jobs folder's thread",
        }
    }

    async fn shut_down(self) -> Result<()> {
        info!("stopping");
        self.notify.stopping();
        self.trigger.pull();
        self.server.await.context("the server panicked")?;
        // It may be waiting for the queue, which still answers.
        self.folder.shut_down().await;
        let workers = self.workers.tasks.join_all();
        if timeout(WORKERS_GRACE, workers).await.is_err() {
            warn!("a worker did not exit in time; killing it");
        }
        self.core.queue.stop().await;
        Ok(())
    }
}

impl Core {
    /// Every job that ends from now on is sent to `ended`.
    async fn start(
        setup: &Setup,
        opened: (Store, Vec<Record>),
        ended: mpsc::Sender<Arc<Record>>,
    ) -> Result<Self> {
        let disk = setup::disk(&setup.config, &setup.front.state);
        let gpus = Gpus::watch().await;
        let newest = opened
            .1
            .iter()
            .filter_map(|record| newest_time(&record.job));
        let clock = Clock::open(setup.front.state.path(), newest.max());
        tokio::spawn(clock.clone().watch());
        let queue = QueueConfig {
            renderer: setup::renderer(&setup.config, &setup.front.state),
            disk: disk.clone(),
            gpus: gpus.clone(),
            clock: clock.clone(),
            max_jobs: setup.config.queue.max_jobs,
            ended,
        };
        let queue = Actor::open(opened, queue).await.map_err(StartError::from)?;
        let (queue, queue_task) = queue.start();
        let renderer = setup::renderer(&setup.config, &setup.front.state);
        let inspections = Inspections::start(setup.worker.clone(), queue.clone(), renderer);
        if let Some(fault) = &setup.bundle_fault {
            queue.expect_outage(fault.clone()).await?;
        }
        Ok(Self {
            disk,
            clock,
            gpus,
            queue,
            queue_task,
            inspections,
        })
    }
}

impl FolderThread {
    /// The folder is opened in its thread, which may have to wait for it.
    async fn start(
        setup: &Setup,
        core: &Core,
        (events, inbox): (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    ) -> Result<Self> {
        let config = &setup.config;
        let intake = Intake {
            images: core.disk.images(config.paths.inputs.clone()),
            bundle: setup.bundle,
            farm_defaults: config.farm_defaults.clone(),
        };
        let (view_sender, view) = watch::channel(View::default());
        let folder = FolderConfig {
            config: config.clone(),
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
    async fn shut_down(self) {
        let _ = self.events.send(Event::Stop);
        if timeout(FOLDER_GRACE, self.ended).await.is_err() {
            warn!("the jobs folder does not answer: not waiting for it");
        }
    }
}

impl Workers {
    async fn start(setup: &Setup, core: &Core, shutdown: &Shutdown) -> Result<Self> {
        let known = KnownGpus::open(setup.front.state.path(), &setup.config.worker.devices);
        let nvidia = Nvidia::look();
        let circumstances = Circumstances {
            nvidia: &nvidia,
            known: known.numbers(),
            transformer_bytes: setup.transformer_bytes,
            host_bytes: host_bytes(),
        };
        let devices = &setup.config.worker.devices;
        let context = SupervisorContext {
            config: &setup.config,
            program: &setup.worker,
            state_dir: setup.front.state.path(),
            queue: &core.queue,
            disk: &core.disk,
            shutdown,
            insists: circumstances.insists(devices),
        };
        let devices = worker::wanted(devices, &circumstances);
        let (supervisors, planners, switches) = worker::supervisors(&context, devices, &known);
        let mut tasks = JoinSet::new();
        for mut supervisor in supervisors {
            // Before the first client can ask for the workers.
            supervisor.tell(WorkerState::Starting).await?;
            tasks.spawn(supervisor.run());
        }
        Ok(Self {
            tasks,
            planners,
            switches,
            known,
        })
    }
}

/// Memory of this machine; 0 if the system does not tell.
fn host_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = total.and_then(|total| total.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// The daemon's metrics; from now on they are kept in a file, too, if one is configured.
fn start_metrics(config: &Config, core: &Core, folder: &watch::Receiver<View>) -> Metrics {
    let metrics = Metrics {
        queue: core.queue.clone(),
        disk: core.disk.clone(),
        totals: Totals::default(),
        gpus: core.gpus.clone(),
        folders: metrics::folders(&config.paths),
        folder: folder.clone(),
        started: Instant::now(),
    };
    if let Some(path) = &config.metrics.textfile {
        tokio::spawn(metrics.clone().keep(path.clone()));
    }
    metrics
}

/// Tells systemd that the daemon is ready, and keeps it, the log and the metrics informed from now on.
fn observe(notify: &Notify, core: &Core, totals: Totals) {
    notify.ready();
    tokio::spawn(notify::beat(notify.clone(), core.queue.clone()));
    let job_observer = JobObserver {
        queue: core.queue.clone(),
        notify: notify.clone(),
        totals,
        gpus: core.gpus.clone(),
    };
    tokio::spawn(job_observer.run());
}

fn start_retention(setup: &Setup, core: &Core) {
    let retention = Retention {
        rules: setup.config.retention,
        layout: setup.front.state.layout(),
        queue: core.queue.clone(),
        clock: core.clock.clone(),
        disk: core.disk.clone(),
    };
    tokio::spawn(retention.run());
}

/// The latest time that a job's record has.
fn newest_time(job: &Job) -> Option<Timestamp> {
    job.state.finished_at().max(Some(job.submitted_at))
}

fn say_ready(paths: &Paths) {
    info!(
        jobs = %paths.jobs.display(),
        outputs = %paths.outputs.display(),
        socket = %paths.socket.display(),
        "framepackd {} is ready", env!("CARGO_PKG_VERSION")
    );
}
