//! A worker without a job: it waits for one; meanwhile it answers questions, gives memory up when it is time, and does what
//! users want of its memory.

use std::time::Duration;

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    worker::{FromWorker, HeldMemory, Temperature, ToWorker, WorkerInfo},
};
use framepack_jobs::Failure;
use tokio::{
    select,
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tracing::{info, warn};

use super::{
    faults::Cause,
    idle::IdleClock,
    process::WorkerProcess,
    questions::Questions,
    verdict::{After, ReplaceReason},
    warmth::{NotDone, Orders, Wish},
};
use crate::{
    queue::{Assignment, Ending, QueueHandle, Stopping},
    running::RunningConfig,
    shutdown::Shutdown,
};

/// What `ping` says of a worker that loads models for jobs to come.
const LOADING: &str = "loading models (`framepackctl warmup`)";

/// What an idle worker gets to do.
#[derive(Debug)]
pub(super) enum Next {
    Render(Box<Assignment>),
    Nothing(After),
}

/// A worker's wait for a job, and what it needs of its device's supervisor.
#[derive(Debug)]
pub(super) struct Wait<'s> {
    pub(super) process: &'s mut WorkerProcess,
    pub(super) info: &'s WorkerInfo,
    pub(super) idle: &'s mut IdleClock,
    pub(super) questions: &'s mut Questions,
    pub(super) orders: &'s mut Orders,
    pub(super) running: &'s mut RunningConfig,
    pub(super) queue: &'s QueueHandle,
    pub(super) shutdown: &'s mut Shutdown,
    pub(super) status: &'s mut WorkerStatus,
}

impl Wait<'_> {
    /// Waits for a job, or for the worker's end.
    pub(super) async fn next(mut self) -> Result<Next, Stopping> {
        self.idle.take_over(self.running.now().config.idle);
        self.tell().await?;
        let mut next = self.queue.next(self.info).await?;
        let after = loop {
            // A worker that loads models does not cool.
            let cooling = self.idle.next().filter(|_| !self.orders.is_open());
            let cool_at = cooling.map_or_else(Instant::now, |(at, _)| at);
            let hangs_at = self.orders.due(self.patience());
            select! {
                assignment = &mut next => {
                    let job = assignment.map(|assignment| Next::Render(Box::new(assignment)));
                    self.status.note = None;
                    return Ok(job.unwrap_or(Next::Nothing(After::Stop)));
                }
                message = self.process.receive() => match message {
                    Ok(FromWorker::Planned { ask, outcome }) => self.questions.answer(ask, outcome),
                    Ok(FromWorker::Held { ask, memory, failure }) => {
                        self.held(ask, memory, failure).await?;
                    }
                    Ok(message) => break dead(format!("unexpected message: {message:?}")),
                    Err(error) => break dead(format!("died without a job: {error}")),
                },
                question = self.questions.next() => self.process.send(&question),
                (ask, wish) = self.orders.next() => {
                    self.carry_out(ask, wish).await?;
                }
                () = sleep_until(cool_at), if cooling.is_some() => {
                    if let Some((_, to)) = cooling {
                        self.cool(to, None);
                        self.tell().await?;
                    }
                }
                () = sleep_until(hangs_at.unwrap_or(cool_at)), if hangs_at.is_some() => {
                    break dead(format!("no answer within {} s of being told what to hold in memory", self.patience().as_secs()));
                }
                () = self.running.changed() => self.idle.take_over(self.running.now().config.idle),
                () = self.shutdown.requested() => break After::Stop,
            }
        };
        self.status.note = None;
        self.give_back(next).await?;
        Ok(Next::Nothing(after))
    }

    /// How long models may take to be loaded.
    fn patience(&self) -> Duration {
        let deadlines = self.running.now().config.worker.deadlines;
        Duration::from_secs(deadlines.first_step_secs.into())
    }

    /// Has the worker do what a user wants of its memory.
    async fn carry_out(&mut self, ask: u64, wish: Wish) -> Result<(), Stopping> {
        match wish {
            Wish::Load(_) if !self.info.can_warm => self.orders.answer(Err(NotDone::Unable)),
            Wish::Load(request) => {
                info!(device = self.info.device, "loading models for jobs to come");
                self.status.note = Some(LOADING.to_owned());
                self.process.send(&ToWorker::Warm { ask, request });
                self.tell().await?;
            }
            Wish::Keep(to) => {
                self.cool(to, self.info.can_warm.then_some(ask));
                // Before the user hears of it.
                self.tell().await?;
                if !self.info.can_warm {
                    self.orders.held(self.idle.temperature(), None, None);
                }
            }
        }
        Ok(())
    }

    /// Has the worker give up memory.
    fn cool(&mut self, to: Temperature, ask: Option<u64>) {
        if to > self.idle.temperature() {
            info!(device = self.info.device, ?to, "releasing memory");
        }
        self.idle.cooled(to);
        self.process.send(&ToWorker::Cool { to, ask });
    }

    /// The worker has done what a user wanted of its memory, or could not.
    async fn held(
        &mut self,
        ask: u64,
        memory: HeldMemory,
        failure: Option<Failure>,
    ) -> Result<(), Stopping> {
        self.status.note = None;
        if let Some(model) = self.orders.model(ask) {
            let temperature = match failure {
                None => Temperature::Hot,
                Some(_) => Temperature::Cold,
            };
            self.idle.loaded(temperature, Instant::now());
            self.queue.loaded(&self.info.device, model).await?;
        }
        if let Some(failure) = &failure {
            warn!(device = self.info.device, code = %failure.code, "can't load models: {}", failure.message);
        }
        // Before the user hears of it.
        self.tell().await?;
        self.orders
            .held(self.idle.temperature(), Some(memory), failure);
        Ok(())
    }

    /// Hands back a job that was assigned just when its worker went away.
    async fn give_back(&self, mut next: oneshot::Receiver<Assignment>) -> Result<(), Stopping> {
        next.close();
        match next.try_recv() {
            Ok(assignment) => {
                let job = assignment.request.job;
                warn!(%job, "its worker exited before it received the job");
                self.queue.end(job, Ending::Interrupted).await
            }
            Err(_) => Ok(()),
        }
    }

    /// Says for `ping` that the worker is idle, and what it holds.
    async fn tell(&mut self) -> Result<(), Stopping> {
        self.status.state = WorkerState::Idle;
        self.status.temperature = Some(self.idle.temperature());
        self.queue.worker(self.status.clone()).await
    }
}

/// The worker is of no use any more.
fn dead(how: String) -> After {
    After::Replace(ReplaceReason::Dead {
        how,
        fault: Some(Cause::Worker),
    })
}
