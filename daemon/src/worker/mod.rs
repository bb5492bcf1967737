//! One supervisor for each device: it keeps a worker process alive and carries jobs to it, one at a time.
//!
//! # Layout
//!
//! - `job`: one job, from its assignment to its end
//! - `launch`: its command line; `process`: its process and pipes
//! - `watchdog`: how long a worker may be silent
//! - `idle`: what a worker without a job gives up, and when
//! - `faults`: when a device is taken out; `switch`: how it comes back
//! - `asks`: questions to workers that are no jobs
//! - `devices`: which devices get a worker
//! - `vitals`: what the kernel says of a process

mod asks;
mod devices;
mod faults;
mod idle;
mod job;
mod launch;
mod process;
mod switch;
mod vitals;
mod watchdog;

use std::{convert::Infallible, path::Path, time::Duration};

use framepack_config::{Config, Devices};
use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    worker::{FromWorker, ToWorker, WorkerInfo},
};
use framepack_jobs::Code;
use tokio::{
    select,
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};
use tracing::{error, info, warn};

pub(crate) use asks::{Planners, Silent};
pub(crate) use switch::Switches;

use self::{
    asks::Asks,
    faults::{Cause, Faults},
    idle::IdleClock,
    launch::Launch,
    process::{Unkillable, WorkerProcess},
    switch::Switch,
    watchdog::Watchdog,
};
use crate::{
    queue::{Assignment, Ending, QueueHandle, Stopping},
    shutdown::Shutdown,
};

/// Pause before a worker is started again; doubled with each death in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Who the supervisors work for.
#[derive(Debug, Clone)]
pub(crate) struct Employer<'a> {
    pub(crate) config: &'a Config,
    /// The worker's binary.
    pub(crate) program: &'a Path,
    pub(crate) state_dir: &'a Path,
    pub(crate) queue: &'a QueueHandle,
    pub(crate) shutdown: &'a Shutdown,
}

/// One supervisor for each configured device, and the ways to their workers.
pub(crate) fn supervisors(employer: &Employer<'_>) -> (Vec<Supervisor>, Planners, Switches) {
    let devices = match &employer.config.worker.devices {
        Devices::Auto => devices::detect(),
        Devices::Listed(devices) => devices.iter().map(ToString::to_string).collect(),
    };
    let (planners, asks) = Planners::new(devices.iter().map(String::as_str));
    let (switches, sides) = Switches::new(devices.iter().map(String::as_str));
    let supervisors = devices.into_iter().zip(asks.into_iter().zip(sides));
    let supervisors = supervisors
        .map(|(device, (asks, switch))| Supervisor::new(employer, device, asks, switch))
        .collect();
    (supervisors, planners, switches)
}

/// Keeps one device working.
#[derive(Debug)]
pub(crate) struct Supervisor {
    launch: Launch,
    config: Config,
    queue: QueueHandle,
    asks: Asks,
    switch: Switch,
    shutdown: Shutdown,
    watchdog: Watchdog,
    faults: Faults,
    /// What `ping` says of the device.
    status: WorkerStatus,
    /// Before the next start after a death.
    pause: Duration,
}

/// What an idle worker gets to do.
#[derive(Debug)]
enum Next {
    Render(Box<Assignment>),
    Nothing(After),
}

/// What a worker can be used for next.
#[derive(Debug, PartialEq, Eq)]
enum After {
    /// Another job.
    Ready,
    /// Nothing: it has to be replaced.
    Lost(Loss),
    /// Nothing: the daemon is stopping.
    Stop,
}

/// Why a worker has to be replaced.
#[derive(Debug, PartialEq, Eq)]
enum Loss {
    /// It has rendered as many jobs as it is to.
    Old,
    /// It died, or had to be killed; whether its device may be to blame.
    Dead { how: String, fault: Option<Cause> },
    /// It can't even be killed.
    Stuck(Unkillable),
}

impl Supervisor {
    fn new(employer: &Employer<'_>, device: String, asks: Asks, switch: Switch) -> Self {
        let config = employer.config;
        Self {
            status: WorkerStatus {
                device: device.clone(),
                device_name: None,
                state: WorkerState::Starting,
                note: None,
                temperature: None,
            },
            launch: Launch {
                program: employer.program.to_owned(),
                device,
                state_dir: employer.state_dir.to_owned(),
                memory: config.memory,
            },
            config: config.clone(),
            queue: employer.queue.clone(),
            asks,
            switch,
            shutdown: employer.shutdown.clone(),
            watchdog: Watchdog::new(config.worker.deadlines),
            faults: Faults::new(config.worker.max_faults),
            pause: FIRST_PAUSE,
        }
    }

    /// Starts workers, one after the other has died, until the daemon stops.
    pub(crate) async fn run(mut self) {
        let Err(Stopping) = self.keep().await;
    }

    async fn keep(&mut self) -> Result<Infallible, Stopping> {
        loop {
            match self.live().await? {
                Loss::Old => info!(
                    device = self.launch.device,
                    "worker is replaced: recycle_after"
                ),
                Loss::Dead { how, fault } => {
                    error!(device = self.launch.device, "no worker: {how}");
                    let is_faulty =
                        fault.is_some_and(|fault| self.faults.note(fault, Instant::now()));
                    if is_faulty {
                        self.take_out(&how).await?;
                    } else {
                        self.rest(how).await?;
                    }
                }
                Loss::Stuck(unkillable) => self.take_out(&unkillable.to_string()).await?,
            }
        }
    }

    /// One worker's life; why it was over.
    async fn live(&mut self) -> Result<Loss, Stopping> {
        self.status.temperature = None;
        self.tell(WorkerState::Starting).await?;
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
                self.serve(process, &info).await
            }
            Err(error) => Ok(Loss::Dead {
                how: error.to_string(),
                fault: Some(Cause::Worker),
            }),
        }
    }

    /// Waits a little longer with each death before the next worker is started.
    async fn rest(&mut self, how: String) -> Result<(), Stopping> {
        self.status.note = Some(how);
        self.tell(WorkerState::Down).await?;
        select! {
            () = sleep(self.pause) => {}
            () = self.shutdown.requested() => return Err(Stopping),
        }
        self.pause = LONGEST_PAUSE.min(2 * self.pause);
        Ok(())
    }

    /// Gives the device no more jobs until somebody brings it back.
    async fn take_out(&mut self, how: &str) -> Result<(), Stopping> {
        let device = &self.launch.device;
        let code = Code::DEVICE_DISABLED;
        error!(device, %code, "taken out: {how}");
        self.status.note = Some(format!(
            "taken out, as it failed again and again without finishing a job; the last time: {how} \
             (`framepackctl gpu enable {device}` brings it back) [{code}]"
        ));
        self.tell(WorkerState::Faulty).await?;
        loop {
            select! {
                () = self.switch.enabled() => break,
                _ = self.asks.next() => self.asks.give_up(),
                () = self.shutdown.requested() => return Err(Stopping),
            }
        }
        info!(device = self.launch.device, "brought back");
        self.faults.forget();
        self.pause = FIRST_PAUSE;
        self.status.note = None;
        Ok(())
    }

    /// Gives jobs to one worker for as long as it can be used.
    async fn serve(
        &mut self,
        mut process: WorkerProcess,
        info: &WorkerInfo,
    ) -> Result<Loss, Stopping> {
        let mut idle = IdleClock::new(self.config.idle, Instant::now());
        let mut jobs = 0;
        let loss = loop {
            let after = match self.next(&mut process, info, &mut idle).await? {
                Next::Render(assignment) => {
                    jobs += 1;
                    self.status.temperature = None;
                    self.tell(WorkerState::Busy).await?;
                    let after = self.render(&mut process, *assignment).await?;
                    idle.job_ended(Instant::now());
                    after
                }
                Next::Nothing(after) => after,
            };
            match after {
                After::Ready if self.config.worker.recycle_after.is_reached(jobs) => {
                    break Some(Loss::Old);
                }
                After::Ready => {}
                After::Lost(loss) => break Some(loss),
                After::Stop => break None,
            }
        };
        self.asks.give_up();
        let closed = process.close().await;
        match (loss, closed) {
            (None, _) => Err(Stopping),
            (Some(_), Err(unkillable)) => Ok(Loss::Stuck(unkillable)),
            (Some(loss), Ok(())) => Ok(loss),
        }
    }

    /// Waits for a job; questions are answered meanwhile, and memory is given up in time.
    async fn next(
        &mut self,
        process: &mut WorkerProcess,
        info: &WorkerInfo,
        idle: &mut IdleClock,
    ) -> Result<Next, Stopping> {
        self.status.temperature = Some(idle.temperature());
        self.tell(WorkerState::Idle).await?;
        let mut next = self.queue.next(info).await?;
        let after = loop {
            let cooling = idle.next();
            let cool_at = cooling.map_or_else(Instant::now, |(at, _)| at);
            select! {
                assignment = &mut next => {
                    let job = assignment.map(|assignment| Next::Render(Box::new(assignment)));
                    return Ok(job.unwrap_or(Next::Nothing(After::Stop)));
                }
                message = process.receive() => match message {
                    Ok(FromWorker::Planned { ask, outcome }) => self.asks.answer(ask, outcome),
                    Ok(message) => break After::Lost(Loss::Dead {
                        how: format!("it spoke without being asked: {message:?}"),
                        fault: Some(Cause::Worker),
                    }),
                    Err(error) => break After::Lost(Loss::Dead {
                        how: format!("died without a job: {error}"),
                        fault: Some(Cause::Worker),
                    }),
                },
                question = self.asks.next() => process.send(&question),
                () = sleep_until(cool_at), if cooling.is_some() => {
                    if let Some((_, to)) = cooling {
                        info!(device = self.launch.device, ?to, "gives up memory");
                        process.send(&ToWorker::Cool { to });
                        idle.cooled(to);
                        self.status.temperature = Some(to);
                        self.tell(WorkerState::Idle).await?;
                    }
                }
                () = self.shutdown.requested() => break After::Stop,
            }
        };
        self.give_back(next).await?;
        Ok(Next::Nothing(after))
    }

    /// Hands back a job that was assigned in the moment in which its worker went away.
    async fn give_back(&self, mut next: oneshot::Receiver<Assignment>) -> Result<(), Stopping> {
        next.close();
        match next.try_recv() {
            Ok(assignment) => {
                let job = assignment.request.job;
                warn!(%job, "its worker went away before it had it");
                self.queue.end(job, Ending::Interrupted).await
            }
            Err(_) => Ok(()),
        }
    }

    /// Says what the worker is doing, for `ping`.
    pub(crate) async fn tell(&mut self, state: WorkerState) -> Result<(), Stopping> {
        self.status.state = state;
        self.queue.worker(self.status.clone()).await
    }
}
