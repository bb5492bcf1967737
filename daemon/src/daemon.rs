//! The daemon: its parts, started in the order in which they need each other, and shut down in the other one.

mod core;
mod folder_thread;
mod workers;

use std::{
    future::{Future, pending},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use framepack_config::{Loaded, Paths};
use framepack_ipc::event::{Event, EventName, EventType, Facts};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tracing::{info, warn};

use self::{
    core::Core,
    folder_thread::FolderThread,
    workers::{Workers, host_bytes},
};
use crate::{
    config_source::ConfigSource,
    doctor::Doctor,
    farm::Spaces,
    folder::{View, ended_jobs},
    job_observer::JobObserver,
    metrics::{self, Metrics, Totals},
    notify::{self, Notify},
    opening::open_store,
    owner::Owner,
    previews::Previews,
    queue::QueueHandle,
    record::Record,
    retention::Retention,
    server::{self, Service},
    setup::{self, Front, Setup},
    shutdown::{Shutdown, Trigger},
    state_dir::StateDir,
    store::Store,
};

/// Time for the workers to end when the daemon stops; each needs a second at most, unless it has to be killed.
const WORKERS_GRACE: Duration = Duration::from_secs(20);

/// Runs the daemon until `stop` resolves, then shuts it down cleanly: a running job goes back into the queue. An owner may
/// also leave, and the daemon stop once its jobs have ended. With each SIGHUP the configuration is read again.
pub async fn run(
    configuration: (Loaded, ConfigSource),
    stop: impl Future<Output = ()>,
    owner: Option<Owner>,
) -> Result<()> {
    tokio::pin!(stop);
    // From now on, so that one that comes early is none that ends this process.
    let hangups = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let notify = Notify::from_environment();
    let setup = select! {
        setup = Setup::prepare(configuration, &notify) => setup?,
        () = &mut stop => return Ok(()),
    };
    let Front {
        state,
        roles,
        listener,
    } = &setup.front;
    let location = state.store(&setup.config);
    let opened = select! {
        opened = open_store(location, listener, Arc::clone(roles), &notify) => opened,
        () = &mut stop => return Ok(()),
    };
    let paths = setup.config.paths.clone();
    let reloader = setup.reloader.clone();
    let mut daemon = Daemon::start(setup, opened, notify).await?;
    say_ready(&paths);
    tokio::spawn(reloader.follow(hangups));
    let finished = jobs_finished(owner, daemon.core.queue.clone());
    let lost = select! {
        () = &mut stop => None,
        () = finished => None,
        part = daemon.part_lost() => Some(part),
    };
    daemon.shut_down().await?;
    if let Some(part) = lost {
        bail!("{part} ended unexpectedly; no job is lost: see the log, and restart framepackd");
    }
    info!("stopped");
    Ok(())
}

/// Never resolves without an owner.
async fn jobs_finished(owner: Option<Owner>, queue: QueueHandle) {
    match owner {
        Some(owner) => owner.jobs_finished(queue).await,
        None => pending().await,
    }
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

impl Daemon {
    async fn start(setup: Setup, opened: (Store, Vec<Record>), notify: Notify) -> Result<Self> {
        let (store, event_log) = (opened.0.view(), opened.0.events());
        let (events, inbox) = mpsc::channel();
        let core = Core::start(&setup, opened, ended_jobs(events.clone())?).await?;
        let folder = FolderThread::start(&setup, &core, (events, inbox)).await?;
        let (trigger, shutdown) = Shutdown::new();
        let workers = Workers::start(&setup, &core, &shutdown).await?;
        let metrics = start_metrics(&setup, &core, &folder.view);
        observe(&notify, &core, metrics.totals.clone());
        let retention = start_retention(&setup, &core);
        let service = Service {
            queue: core.queue.clone(),
            intake: folder.intake.clone(),
            renderer: setup::renderer(
                &setup.running,
                setup.bundle,
                &setup.front.state,
                core.lacks.clone(),
            ),
            planners: workers.ways.planners.clone(),
            warmth: workers.ways.warmth.clone(),
            inspections: core.inspections.clone(),
            jobs: setup.config.paths.jobs.clone(),
            folder: folder.view.clone(),
            folder_events: folder.events.clone(),
            switches: workers.ways.switches.clone(),
            store,
            events: event_log,
            disk: core.disk.clone(),
            spaces: Spaces::new(core.disk.clone(), &setup.config.paths),
            clock: core.clock.clone(),
            started: metrics.started,
            previews: Previews::new(setup.front.state.layout()),
            reloader: setup.reloader,
            layout: setup.front.state.layout(),
            metrics,
            doctor: Arc::new(Doctor {
                running: setup.running.clone(),
                worker: setup.worker,
                known: workers.known.clone(),
                host_bytes: host_bytes(),
            }),
            running: setup.running,
            retention,
            announced: workers.announced.clone(),
        };
        tokio::spawn(server::tell_health(service.clone()));
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
        let stopping = Event::now(EventType::Farm, EventName::Stopping, Facts::default());
        // Fails when the queue has ended already, which is why the daemon stops.
        let _ = self.core.queue.tell_of(stopping).await;
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

/// The daemon's metrics; from now on they are kept in a file, too, if one is configured.
fn start_metrics(setup: &Setup, core: &Core, folder: &watch::Receiver<View>) -> Metrics {
    let metrics = Metrics {
        queue: core.queue.clone(),
        disk: core.disk.clone(),
        totals: Totals::default(),
        gpus: core.gpus.clone(),
        folders: metrics::folders(&setup.config.paths),
        folder: folder.clone(),
        started: Instant::now(),
    };
    tokio::spawn(metrics.clone().keep(setup.running.clone()));
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

fn start_retention(setup: &Setup, core: &Core) -> Retention {
    let retention = Retention {
        running: setup.running.clone(),
        layout: setup.front.state.layout(),
        previews: Previews::new(setup.front.state.layout()),
        queue: core.queue.clone(),
        clock: core.clock.clone(),
        disk: core.disk.clone(),
    };
    tokio::spawn(retention.clone().run());
    retention
}

fn say_ready(paths: &Paths) {
    info!(
        jobs = %paths.jobs.display(),
        outputs = %paths.outputs.display(),
        socket = %paths.socket.display(),
        "framepackd {} is ready", env!("CARGO_PKG_VERSION")
    );
}
