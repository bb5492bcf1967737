//! One supervisor for each device: it keeps a worker process alive and carries jobs to it, one at a time.

mod asks;
mod devices;
mod process;

use std::{path::Path, time::Duration};

use framepack_config::{Config, Devices};
use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    worker::{FromWorker, RenderRequest, RungTaken, ToWorker, WorkerInfo},
};
use framepack_jobs::{Failure, FailureClass};
use tokio::{
    select,
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::{error, info, warn};

pub(crate) use asks::{Asks, Planners, Silent};
pub(crate) use process::Launch;

use self::process::{WorkerError, WorkerProcess};
use crate::{
    queue::{Assignment, Control, Death, DeathKind, Ending, QueueHandle, Report, Stopping},
    shutdown::Shutdown,
};

/// Pause before a worker is started again; doubled with each death in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A worker that has not stopped its job this long after it was asked to is killed.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// Ctrl-C in a terminal reaches the workers, too: a worker that dies just before we hear of it did not crash.
const INTERRUPT_WINDOW: Duration = Duration::from_millis(200);

/// The workers to start: one for each configured device.
pub(crate) fn launches(config: &Config, program: &Path, state_dir: &Path) -> Vec<Launch> {
    let devices = match &config.worker.devices {
        Devices::Auto => devices::detect(),
        Devices::Listed(devices) => devices.iter().map(ToString::to_string).collect(),
    };
    let launch = |device| Launch {
        program: program.to_owned(),
        device,
        state_dir: state_dir.to_owned(),
        memory: config.memory,
    };
    devices.into_iter().map(launch).collect()
}

/// Keeps one device working.
#[derive(Debug)]
pub(crate) struct Supervisor {
    launch: Launch,
    queue: QueueHandle,
    asks: Asks,
    shutdown: Shutdown,
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
    /// Nothing: it is dead and has to be replaced.
    Dead,
    /// Nothing: the daemon is stopping.
    Stop,
}

impl Supervisor {
    pub(crate) fn new(launch: Launch, queue: QueueHandle, asks: Asks, shutdown: Shutdown) -> Self {
        Self {
            launch,
            queue,
            asks,
            shutdown,
        }
    }

    /// Starts workers, one after the other has died, until the daemon stops.
    pub(crate) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let started = select! {
                started = WorkerProcess::start(&self.launch) => started,
                () = self.shutdown.requested() => return,
            };
            match started {
                Ok((process, info)) => {
                    info!(
                        device = info.device,
                        name = info.device_name,
                        version = info.version,
                        "worker is ready"
                    );
                    let ready = Instant::now();
                    match self.serve(process, &info).await {
                        Ok(After::Dead | After::Ready) => {}
                        Ok(After::Stop) | Err(Stopping) => return,
                    }
                    if ready.elapsed() > LONGEST_PAUSE {
                        pause = FIRST_PAUSE;
                    }
                }
                Err(error) => error!(device = self.launch.device, "no worker: {error}"),
            }
            if self.rest(&mut pause).await.is_err() {
                return;
            }
        }
    }

    /// Waits a little longer with each death before the next worker is started.
    async fn rest(&mut self, pause: &mut Duration) -> Result<(), Stopping> {
        self.tell(WorkerState::Down, None).await?;
        select! {
            () = sleep(*pause) => {}
            () = self.shutdown.requested() => return Err(Stopping),
        }
        *pause = LONGEST_PAUSE.min(2 * *pause);
        self.tell(WorkerState::Starting, None).await
    }

    /// Gives jobs to one worker for as long as it lives.
    async fn serve(
        &mut self,
        mut process: WorkerProcess,
        info: &WorkerInfo,
    ) -> Result<After, Stopping> {
        loop {
            self.tell(WorkerState::Idle, Some(info)).await?;
            let after = match self.next(&mut process, info).await? {
                Next::Render(assignment) => {
                    self.tell(WorkerState::Busy, Some(info)).await?;
                    self.render(&mut process, *assignment).await?
                }
                Next::Nothing(after) => after,
            };
            if after != After::Ready {
                self.asks.give_up();
                process.close().await;
                return Ok(after);
            }
        }
    }

    /// Waits for a job; questions are answered meanwhile.
    async fn next(
        &mut self,
        process: &mut WorkerProcess,
        info: &WorkerInfo,
    ) -> Result<Next, Stopping> {
        let mut next = self.queue.next(info).await?;
        let after = loop {
            select! {
                assignment = &mut next => {
                    let job = assignment.map(|assignment| Next::Render(Box::new(assignment)));
                    return Ok(job.unwrap_or(Next::Nothing(After::Stop)));
                }
                message = process.receive() => match message {
                    Ok(FromWorker::Planned { ask, outcome }) => self.asks.answer(ask, outcome),
                    message => {
                        report_idle_death(&self.launch.device, message);
                        break After::Dead;
                    }
                },
                question = self.asks.next() => process.send(&question).await,
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
                self.queue
                    .end(assignment.request.job, Ending::Interrupted)
                    .await
            }
            Err(_) => Ok(()),
        }
    }

    /// Has one job rendered.
    async fn render(
        &mut self,
        process: &mut WorkerProcess,
        assignment: Assignment,
    ) -> Result<After, Stopping> {
        let Assignment {
            request,
            mut control,
        } = assignment;
        let job = request.job;
        process
            .send(&ToWorker::Render(Box::new(request.clone())))
            .await;
        let mut kill_at = None;
        let (ending, after) = loop {
            select! {
                message = process.receive() => match message {
                    Ok(message) => match self.heard(&request, message).await? {
                        None => {}
                        Some(ending) => {
                            let after = after(&ending);
                            break (ending, after);
                        }
                    },
                    Err(death) => break (self.ending_of(&death).await, After::Dead),
                },
                question = self.asks.next() => process.send(&question).await,
                Some(wish) = control.recv() => match wish {
                    Control::Cancel => {
                        process.send(&ToWorker::Cancel { job }).await;
                        kill_at.get_or_insert_with(|| Instant::now() + CANCEL_GRACE);
                    }
                    Control::Pause(at) => process.send(&ToWorker::Pause { job, at }).await,
                    Control::Resume => process.send(&ToWorker::Resume { job }).await,
                },
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    warn!(%job, "does not stop: its worker is killed");
                    process.kill().await;
                    break (Ending::Cancelled, After::Dead);
                }
                () = self.shutdown.requested() => {
                    // Gone before the job is queued again, so that nothing is written after that.
                    process.close().await;
                    break (Ending::Interrupted, After::Stop);
                }
            }
        };
        self.queue.end(job, ending).await?;
        Ok(after)
    }

    /// Passes on what the worker says; the ending, if that was its last word on the job.
    async fn heard(
        &mut self,
        request: &RenderRequest,
        message: FromWorker,
    ) -> Result<Option<Ending>, Stopping> {
        let job = request.job;
        match message {
            FromWorker::Started { plan, .. } => {
                self.queue.report(job, Report::Started(plan)).await?;
            }
            FromWorker::Progress { progress, .. } => {
                self.queue.report(job, Report::Progress(progress)).await?;
            }
            FromWorker::Done { output, .. } if request.output.is_file() => {
                return Ok(Some(Ending::Done(output)));
            }
            FromWorker::Done { .. } => return Ok(Some(Ending::Failed(no_video(request)))),
            FromWorker::Failed { failure, .. } => return Ok(Some(Ending::Failed(failure))),
            FromWorker::Cancelled { .. } => return Ok(Some(Ending::Cancelled)),
            FromWorker::Suspended { .. } => return Ok(Some(Ending::Suspended)),
            FromWorker::Checkpoint { sections_done, .. } => {
                let report = Report::Checkpoint(sections_done);
                self.queue.report(job, report).await?;
            }
            FromWorker::Rung {
                rung, name, reason, ..
            } => {
                let rung = RungTaken { rung, name, reason };
                self.queue.report(job, Report::Rung(rung)).await?;
            }
            FromWorker::Paused { .. } => self.queue.report(job, Report::Paused).await?,
            FromWorker::Resumed { .. } => self.queue.report(job, Report::Resumed).await?,
            FromWorker::Planned { ask, outcome } => self.asks.answer(ask, outcome),
            FromWorker::Ready(_) => warn!(%job, "the worker said again that it is ready"),
        }
        Ok(None)
    }

    /// Says what the worker is doing, for `ping`.
    pub(crate) async fn tell(
        &self,
        state: WorkerState,
        info: Option<&WorkerInfo>,
    ) -> Result<(), Stopping> {
        let status = WorkerStatus {
            device: self.launch.device.clone(),
            device_name: info.map(|info| info.device_name.clone()),
            state,
            note: None,
        };
        self.queue.worker(status).await
    }

    async fn ending_of(&mut self, death: &WorkerError) -> Ending {
        match timeout(INTERRUPT_WINDOW, self.shutdown.requested()).await {
            Ok(()) => Ending::Interrupted,
            Err(_) => Ending::WorkerDied(Death {
                kind: DeathKind::Crash,
                how: death.to_string(),
            }),
        }
    }
}

/// A worker whose device has failed exits by itself: the next job is for its successor.
fn after(ending: &Ending) -> After {
    match ending {
        Ending::Failed(failure) if failure.class == FailureClass::Gpu => After::Dead,
        _ => After::Ready,
    }
}

fn report_idle_death(device: &str, message: Result<FromWorker, WorkerError>) {
    match message {
        Ok(message) => warn!(
            device,
            "replaced: it spoke without being asked: {message:?}"
        ),
        Err(error) => warn!(device, "died without a job: {error}"),
    }
}

fn no_video(request: &RenderRequest) -> Failure {
    Failure {
        class: FailureClass::Internal,
        code: "FP7002".to_owned(),
        message: format!(
            "the worker reported a video, but there is no {}",
            request.output.display()
        ),
        hint: Some("see whether something else removes files from paths.outputs".to_owned()),
    }
}
