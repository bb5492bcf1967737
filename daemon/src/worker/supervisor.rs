//! One device's supervisor: it keeps a worker process alive and gives it jobs, one at a time.

use std::{convert::Infallible, path::Path, time::Duration};

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    worker::WorkerInfo,
};
use framepack_jobs::{Code, Failure};
use tokio::{
    select,
    time::{Instant, sleep},
};
use tracing::{error, info};

use super::{
    announced::Announced,
    clue::{Clue, Needs},
    faults::{Cause, Faults},
    idle::{IdleClock, Kept},
    known::KnownGpus,
    launch::Launch,
    outage::{DeviceOutage, Interrupts},
    process::WorkerProcess,
    questions::Questions,
    run::{Run, RunContext},
    start_fault,
    switch::Switch,
    verdict::{After, ReplaceReason},
    wait::{Next, Wait},
    warmth::{NotDone, Orders},
    watchdog::Watchdog,
};
use crate::{
    disk::Disk,
    lacking::DeviceLacks,
    queue::{Assignment, QueueHandle, Stopping},
    running::RunningConfig,
    shutdown::Shutdown,
};

/// Pause before a worker is started again; doubled with each death in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What all supervisors share.
#[derive(Debug, Clone)]
pub(crate) struct SupervisorContext<'a> {
    pub(crate) running: &'a RunningConfig,
    /// The worker's binary.
    pub(crate) program: &'a Path,
    pub(crate) state_dir: &'a Path,
    pub(crate) queue: &'a QueueHandle,
    pub(crate) disk: &'a Disk,
    /// What devices can't do.
    pub(crate) lacks: &'a DeviceLacks,
    /// What workers say of themselves.
    pub(crate) announced: &'a Announced,
    pub(crate) shutdown: &'a Shutdown,
    /// Why jobs wait for a GPU that is missing.
    pub(crate) insists: Option<String>,
}

/// Keeps one device working.
#[derive(Debug)]
pub(crate) struct Supervisor {
    launch: Launch,
    running: RunningConfig,
    queue: QueueHandle,
    disk: Disk,
    questions: Questions,
    switch: Switch,
    orders: Orders,
    shutdown: Shutdown,
    watchdog: Watchdog,
    faults: Faults,
    /// What `ping` says of the device.
    status: WorkerStatus,
    /// Before the next start after a death.
    pause: Duration,
    outage: DeviceOutage,
    needs: Needs,
    /// How that was before the last start.
    before: Option<Clue>,
    known: KnownGpus,
    lacks: DeviceLacks,
    announced: Announced,
}

/// A supervisor's ends of the ways to its worker.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) questions: Questions,
    pub(super) switch: Switch,
    pub(super) orders: Orders,
}

impl Supervisor {
    pub(super) fn new(
        context: &SupervisorContext<'_>,
        device: String,
        ends: Ends,
        known: KnownGpus,
    ) -> Self {
        let config = &context.running.now().config;
        context.lacks.expect(&device);
        Self {
            lacks: context.lacks.clone(),
            announced: context.announced.clone(),
            status: WorkerStatus {
                device: device.clone(),
                device_name: None,
                state: WorkerState::Starting,
                note: None,
                temperature: None,
                outage: None,
            },
            launch: Launch {
                program: context.program.to_owned(),
                device: device.clone(),
                state_dir: context.state_dir.to_owned(),
                models: config.models.clone(),
                settings: config.process.clone(),
            },
            running: context.running.clone(),
            queue: context.queue.clone(),
            disk: context.disk.clone(),
            questions: ends.questions,
            switch: ends.switch,
            orders: ends.orders,
            shutdown: context.shutdown.clone(),
            watchdog: Watchdog::new(config.worker.deadlines),
            faults: Faults::new(config.worker.max_faults),
            pause: FIRST_PAUSE,
            outage: DeviceOutage::new(device, context.insists.clone()),
            needs: Needs::new(context.disk, context.program),
            before: None,
            known,
        }
    }

    /// Starts workers, one after the other has died, until the daemon stops.
    pub(crate) async fn run(mut self) {
        let Err(Stopping) = self.keep().await;
    }

    async fn keep(&mut self) -> Result<Infallible, Stopping> {
        loop {
            match self.live().await? {
                ReplaceReason::Recycled => info!(
                    device = self.launch.device,
                    "replacing the worker: recycle_after"
                ),
                ReplaceReason::Dead { how, fault } => {
                    error!(device = self.launch.device, "no worker: {how}");
                    self.faults
                        .take_over(self.running.now().config.worker.max_faults);
                    let is_faulty =
                        fault.is_some_and(|fault| self.faults.note(fault, Instant::now()));
                    if is_faulty {
                        self.disable(&how).await?;
                    } else {
                        self.rest(how).await?;
                    }
                }
                ReplaceReason::Outage(failure) => self.wait_out(*failure).await?,
                ReplaceReason::Stuck(unkillable) => self.disable(&unkillable.to_string()).await?,
            }
        }
    }

    /// Runs one worker until it has to be replaced, and says why.
    async fn live(&mut self) -> Result<ReplaceReason, Stopping> {
        self.status.temperature = None;
        self.status.outage = self.outage.told(true);
        let state = match self.status.outage {
            Some(_) => WorkerState::Down,
            None => WorkerState::Starting,
        };
        self.tell(state).await?;
        self.before = self.needs.look().await;
        let started = select! {
            started = WorkerProcess::start(&self.launch) => started,
            () = self.shutdown.requested() => return Err(Stopping),
        };
        match started {
            Ok((process, info)) => {
                info!(
                    device = info.device,
                    name = info.device_name,
                    version = info.version,
                    "worker is ready"
                );
                self.status.device_name = Some(info.device_name.clone());
                self.status.note = None;
                self.status.outage = None;
                self.outage.started();
                self.lacks.note(&self.launch.device, &info.lacks);
                self.announced.note(&info);
                self.serve(process, &info).await
            }
            Err(error) => Ok(match start_fault::of(&error) {
                Some(failure) => ReplaceReason::Outage(Box::new(failure)),
                None => ReplaceReason::Dead {
                    how: error.to_string(),
                    fault: Some(Cause::Worker),
                },
            }),
        }
    }

    /// The farm is at fault that the device can't be used: waits until it may be mended.
    async fn wait_out(&mut self, failure: Failure) -> Result<(), Stopping> {
        let failure = self.outage.met(failure);
        self.status.note = Some(failure.code.behind(&failure.message));
        self.status.outage = self.outage.told(false);
        self.tell(WorkerState::Down).await?;
        let interrupts = Interrupts {
            before: self.before.take(),
            needs: &self.needs,
            switch: &self.switch,
            questions: &mut self.questions,
            shutdown: &mut self.shutdown,
        };
        self.outage.wait(interrupts).await
    }

    /// Waits a little longer with each death before the next worker is started.
    async fn rest(&mut self, how: String) -> Result<(), Stopping> {
        self.status.note = Some(how);
        self.status.outage = None;
        self.outage.is_over();
        self.tell(WorkerState::Down).await?;
        select! {
            () = sleep(self.pause) => {}
            () = self.shutdown.requested() => return Err(Stopping),
        }
        self.pause = LONGEST_PAUSE.min(2 * self.pause);
        Ok(())
    }

    /// Gives the device no more jobs until a user enables it again.
    async fn disable(&mut self, how: &str) -> Result<(), Stopping> {
        self.status.outage = None;
        self.outage.is_over();
        let device = &self.launch.device;
        let code = Code::DEVICE_DISABLED;
        error!(device, %code, "disabled: {how}");
        self.status.note = Some(format!(
            "disabled after repeated faults without a finished job in between; the last one: {how} \
             (`framepackctl gpu enable {device}` re-enables it) [{code}]"
        ));
        self.tell(WorkerState::Faulty).await?;
        loop {
            select! {
                () = self.switch.enabled() => break,
                _ = self.questions.next() => self.questions.give_up(),
                () = self.shutdown.requested() => return Err(Stopping),
            }
        }
        info!(device = self.launch.device, "re-enabled");
        self.forget_faults();
        self.status.note = None;
        Ok(())
    }

    fn forget_faults(&mut self) {
        self.faults.forget();
        self.outage.forget();
        self.pause = FIRST_PAUSE;
    }

    /// Gives jobs to one worker for as long as it can be used.
    async fn serve(
        &mut self,
        mut process: WorkerProcess,
        info: &WorkerInfo,
    ) -> Result<ReplaceReason, Stopping> {
        let mut idle = IdleClock::new(self.running.now().config.idle, Instant::now());
        let mut jobs = 0;
        let reason = loop {
            let after = match self.next(&mut process, info, &mut idle).await? {
                Next::Render(assignment) => {
                    jobs += 1;
                    self.status.temperature = None;
                    self.tell(WorkerState::Busy).await?;
                    let gives_back = assignment.gives_back;
                    let after = self.render(&mut process, *assignment).await?;
                    if after == After::Finished {
                        self.forget_faults();
                        self.known.rendered_on(&self.launch.device);
                    }
                    let kept = if gives_back {
                        Kept::Nothing
                    } else {
                        Kept::ForNext
                    };
                    idle.job_ended(kept, Instant::now());
                    after
                }
                Next::Nothing(after) => after,
            };
            match after {
                After::Ready | After::Finished => {
                    let recycle_after = self.running.now().config.worker.recycle_after;
                    if recycle_after.is_reached(jobs) {
                        break Some(ReplaceReason::Recycled);
                    }
                }
                After::Replace(reason) => break Some(reason),
                After::Stop => break None,
            }
        };
        self.questions.give_up();
        self.orders.answer(Err(NotDone::Gone));
        let closed = process.close().await;
        match (reason, closed) {
            (None, _) => Err(Stopping),
            (Some(_), Err(unkillable)) => Ok(ReplaceReason::Stuck(unkillable)),
            (Some(reason), Ok(())) => Ok(reason),
        }
    }

    /// Has one job rendered.
    async fn render(
        &mut self,
        process: &mut WorkerProcess,
        assignment: Assignment,
    ) -> Result<After, Stopping> {
        self.watchdog
            .take_over(self.running.now().config.worker.deadlines);
        let context = RunContext {
            process,
            watchdog: &mut self.watchdog,
            questions: &mut self.questions,
            orders: &mut self.orders,
            queue: &self.queue,
            disk: &self.disk,
            shutdown: &mut self.shutdown,
        };
        Run::begin(context, assignment).finish().await
    }

    /// Waits for a job.
    async fn next(
        &mut self,
        process: &mut WorkerProcess,
        info: &WorkerInfo,
        idle: &mut IdleClock,
    ) -> Result<Next, Stopping> {
        let wait = Wait {
            process,
            info,
            idle,
            questions: &mut self.questions,
            orders: &mut self.orders,
            running: &mut self.running,
            queue: &self.queue,
            shutdown: &mut self.shutdown,
            status: &mut self.status,
        };
        wait.next().await
    }

    /// Says what the worker is doing, for `ping`.
    pub(crate) async fn tell(&mut self, state: WorkerState) -> Result<(), Stopping> {
        self.status.state = state;
        self.queue.worker(self.status.clone()).await
    }
}
