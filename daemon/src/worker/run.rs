//! One job at a worker, from its assignment to its end.

use std::time::Duration;

use framepack_ipc::worker::{
    FromWorker, PauseAt, Phase, Progress, RenderRequest, RungTaken, ToWorker,
};
use framepack_jobs::{AnyCode, Class, Code, Failure, JobId, Reach};
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tracing::warn;

use super::{
    faults::Cause,
    process::{WorkerError, WorkerProcess},
    questions::Questions,
    verdict::{After, ReplaceReason},
    watchdog::{Silence, Watchdog},
};
use crate::{
    disk::Disk,
    queue::{Assignment, Control, Death, DeathKind, Ending, QueueHandle, Stopping, WorkerReport},
    record::Kept,
    shutdown::Shutdown,
};

/// Ctrl-C in a terminal reaches the workers, too: a worker that dies just before we hear of it did not crash.
const INTERRUPT_WINDOW: Duration = Duration::from_millis(200);

/// How long a worker's pipe is read before the worker is killed for its silence.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What a job needs of its device's supervisor.
#[derive(Debug)]
pub(super) struct RunContext<'s> {
    pub(super) process: &'s mut WorkerProcess,
    pub(super) watchdog: &'s mut Watchdog,
    pub(super) questions: &'s mut Questions,
    pub(super) queue: &'s QueueHandle,
    pub(super) disk: &'s Disk,
    pub(super) shutdown: &'s mut Shutdown,
}

/// A job while it runs.
#[derive(Debug)]
pub(super) struct Run<'s> {
    context: RunContext<'s>,
    request: RenderRequest,
    control: mpsc::UnboundedReceiver<Control>,
    assigned_at: Instant,
    /// From the assignment to the begin of the first step.
    time_to_first_step: Option<Duration>,
    /// When its worker is killed, once the job was to stop, and how the run has ended then.
    kill: Option<(Instant, Ending)>,
}

/// How a run ended, and what its worker is good for.
type End = (Ending, After);

/// What was in a worker's pipe.
enum LastWords {
    /// Nothing.
    None,
    /// It lives.
    Some,
    /// Its job has ended.
    End(End),
}

impl<'s> Run<'s> {
    /// Gives the job to the worker.
    pub(super) fn begin(context: RunContext<'s>, assignment: Assignment) -> Self {
        let Assignment {
            request,
            control,
            gives_back: _,
        } = assignment;
        let assigned_at = Instant::now();
        context.watchdog.begin(assigned_at);
        context
            .process
            .send(&ToWorker::Render(Box::new(request.clone())));
        Self {
            context,
            request,
            control,
            assigned_at,
            time_to_first_step: None,
            kill: None,
        }
    }

    /// Carries what users and worker say of the job to each other and to the queue, until it ends. The end is durable
    /// when this returns.
    pub(super) async fn finish(mut self) -> Result<After, Stopping> {
        let (ending, after) = self.end().await?;
        self.context.queue.end(self.request.job, ending).await?;
        Ok(after)
    }

    async fn end(&mut self) -> Result<End, Stopping> {
        let job = self.request.job;
        loop {
            let now = self.look();
            let kill_at = self.kill.as_ref().map(|(at, _)| *at);
            let look_at = self.context.watchdog.next_look();
            select! {
                // In this order: one that never stops talking can be stopped.
                biased;
                () = self.context.shutdown.requested() => return Ok(stop(self.context.process).await),
                () = sleep_until(kill_at.unwrap_or(now)), if kill_at.is_some() => {
                    self.look();
                    let is_due = |(at, _): &mut (Instant, Ending)| *at <= Instant::now();
                    let Some((_, ending)) = self.kill.take_if(is_due) else {
                        continue;
                    };
                    return match self.last_words().await? {
                        LastWords::End(end) => Ok(end),
                        LastWords::Some | LastWords::None => {
                            let after = kill_unresponsive(job, self.context.process).await;
                            Ok((ending, after))
                        }
                    };
                }
                Some(control) = self.control.recv() => self.pass_on(control),
                message = self.context.process.receive() => match message {
                    Ok(message) => if let Some(ending) = self.heard(message).await? {
                        let after = after(job, &ending);
                        return Ok((ending, after));
                    },
                    Err(death) => return Ok(end_of_dead(job, &death, self.context.shutdown).await),
                },
                question = self.context.questions.next() => self.context.process.send(&question),
                () = sleep_until(look_at) => {
                    let now = self.look();
                    let Silence::Hung(how) = self.context.watchdog.judge_silence(now) else {
                        continue;
                    };
                    match self.last_words().await? {
                        LastWords::End(end) => return Ok(end),
                        LastWords::Some => {}
                        LastWords::None => {
                            return Ok(kill_hung(job, how, self.context.process).await);
                        }
                    }
                }
            }
        }
    }

    /// Looks at the clock. Time in which this process stood still is nobody's silence.
    fn look(&mut self) -> Instant {
        let now = Instant::now();
        let stood_still = self.context.watchdog.look(now);
        if !stood_still.is_zero() {
            warn!(job = %self.request.job, secs = stood_still.as_secs_f64(), "this process stood still");
            if let Some((at, _)) = &mut self.kill {
                *at += stood_still;
            }
        }
        now
    }

    /// What the worker has said and nobody has read yet, before it is killed for its silence.
    async fn last_words(&mut self) -> Result<LastWords, Stopping> {
        let until = Instant::now() + LAST_WORDS;
        let mut heard = LastWords::None;
        while let Ok(message) = timeout_at(until, self.context.process.receive()).await {
            match message {
                Ok(message) => {
                    if let Some(ending) = self.heard(message).await? {
                        let after = after(self.request.job, &ending);
                        return Ok(LastWords::End((ending, after)));
                    }
                    heard = LastWords::Some;
                }
                Err(death) => {
                    let end = end_of_dead(self.request.job, &death, self.context.shutdown).await;
                    return Ok(LastWords::End(end));
                }
            }
        }
        Ok(heard)
    }

    /// Tells the worker what a user wants of its job.
    fn pass_on(&mut self, control: Control) {
        let job = self.request.job;
        let message = match control {
            Control::Cancel => {
                self.kill_in_time(Ending::Cancelled);
                ToWorker::Cancel { job }
            }
            Control::Keep => {
                self.kill_in_time(Ending::Suspended);
                let at = PauseAt::StepEnd;
                ToWorker::Pause { job, at }
            }
            Control::Pause(at) => ToWorker::Pause { job, at },
            Control::Resume => {
                self.context.watchdog.resume_requested(Instant::now());
                ToWorker::Resume { job }
            }
        };
        self.context.process.send(&message);
    }

    /// Has the worker killed if it does not stop. The first time counts, and what is wanted last.
    fn kill_in_time(&mut self, ending: Ending) {
        let grace = self.context.watchdog.cancel_grace();
        let at = self.kill.take().map(|(at, _)| at);
        self.kill = Some((at.unwrap_or_else(|| Instant::now() + grace), ending));
    }

    /// Notes and passes on what the worker says; the ending, if that was its last word on the job.
    async fn heard(&mut self, message: FromWorker) -> Result<Option<Ending>, Stopping> {
        let now = self.look();
        let watchdog = &mut *self.context.watchdog;
        let report = match message {
            FromWorker::Started { plan, .. } => {
                watchdog.started(&self.request, &plan, now);
                WorkerReport::Started(plan)
            }
            FromWorker::Progress { progress, .. } => {
                watchdog.progressed(progress, now);
                self.progressed(progress, now);
                WorkerReport::Progress(progress)
            }
            FromWorker::Checkpoint { sections_done, .. } => WorkerReport::Checkpoint(sections_done),
            FromWorker::Kept {
                sections,
                steps,
                pieces,
                ..
            } => {
                watchdog.heard(now);
                WorkerReport::Kept(Kept {
                    sections,
                    steps,
                    pieces,
                })
            }
            FromWorker::Rung {
                rung, name, reason, ..
            } => {
                watchdog.climbed(rung, now);
                WorkerReport::Rung(RungTaken { rung, name, reason })
            }
            FromWorker::Paused { .. } => {
                watchdog.paused();
                WorkerReport::Paused
            }
            FromWorker::Resumed { .. } => {
                watchdog.resumed(now);
                WorkerReport::Resumed
            }
            FromWorker::Planned { ask, outcome } => {
                self.context.questions.answer(ask, outcome);
                return Ok(None);
            }
            FromWorker::Ready(_) | FromWorker::Unready { .. } => {
                warn!(job = %self.request.job, "the worker reported ready a second time");
                return Ok(None);
            }
            last_word => return Ok(self.ending(last_word).await),
        };
        self.context.queue.report(self.request.job, report).await?;
        Ok(None)
    }

    fn progressed(&mut self, progress: Progress, now: Instant) {
        if progress.phase == Phase::Sample {
            self.time_to_first_step
                .get_or_insert_with(|| now - self.assigned_at);
        }
    }

    /// What the worker's last word means; `None` if it was none.
    async fn ending(&self, message: FromWorker) -> Option<Ending> {
        match message {
            FromWorker::Done { .. } if self.is_video_missing().await => {
                Some(Ending::Failed(no_video(&self.request)))
            }
            FromWorker::Done { mut output, .. } => {
                output.time_to_first_step_secs =
                    self.time_to_first_step.map(|time| time.as_secs_f64());
                Some(Ending::Done(output))
            }
            FromWorker::Failed { failure, .. } => Some(Ending::Failed(failure)),
            FromWorker::Cancelled { .. } => Some(Ending::Cancelled),
            FromWorker::Suspended { .. } => Some(Ending::Suspended),
            _ => None,
        }
    }

    /// Whether there is no video where one should be. Where the share does not answer, the worker's word counts: it has
    /// read the video again.
    async fn is_video_missing(&self) -> bool {
        let found = self.context.disk.is_there(&self.request.output).await;
        matches!(found, Ok(false))
    }
}

/// What becomes of a worker after a job's last word. One whose device has failed exits by itself: the next job is for
/// its successor.
fn after(job: JobId, ending: &Ending) -> After {
    match ending {
        Ending::Failed(failure) if keeps_from_working(failure) => {
            After::Replace(ReplaceReason::Outage(Box::new(failure.clone())))
        }
        Ending::Failed(failure) if failure.class == Class::Gpu => {
            After::Replace(ReplaceReason::Dead {
                how: failure.message.clone(),
                fault: Some(Cause::Job(job)),
            })
        }
        Ending::Done(_) => After::Finished,
        _ => After::Ready,
    }
}

/// Whether every job would fail so on this device, and the farm is at fault.
fn keeps_from_working(failure: &Failure) -> bool {
    matches!(&failure.code, AnyCode::Known(code) if code.outage() == Some(Reach::Device))
}

/// The end of a job whose worker died by itself.
async fn end_of_dead(job: JobId, death: &WorkerError, shutdown: &mut Shutdown) -> End {
    let how = death.to_string();
    let interrupted = timeout(INTERRUPT_WINDOW, shutdown.requested()).await;
    if interrupted.is_ok() {
        return (Ending::Interrupted, After::Stop);
    }
    let kind = death.kind();
    let is_devices = match kind {
        DeathKind::Crash | DeathKind::Hang => true,
        // Want of memory is no fault of the device, and neither is a model that went away.
        DeathKind::OutOfMemoryKill | DeathKind::LostFile => false,
    };
    let fault = is_devices.then_some(Cause::Job(job));
    let ending = Ending::WorkerDied(Death {
        kind,
        how: how.clone(),
    });
    (ending, After::Replace(ReplaceReason::Dead { how, fault }))
}

/// The daemon stops. The worker is gone before its job is queued again, so that nothing is written after that.
async fn stop(process: &mut WorkerProcess) -> End {
    if let Err(unkillable) = process.close().await {
        warn!("{unkillable}");
    }
    (Ending::Interrupted, After::Stop)
}

/// The job is to stop, and its worker does not stop it.
async fn kill_unresponsive(job: JobId, process: &mut WorkerProcess) -> After {
    warn!(%job, "does not stop: killing its worker");
    let reason = match process.terminate().await {
        Ok(()) => ReplaceReason::Dead {
            how: "killed because it did not stop a cancelled job".to_owned(),
            fault: None,
        },
        Err(unkillable) => ReplaceReason::Stuck(unkillable),
    };
    After::Replace(reason)
}

/// The worker makes no step.
async fn kill_hung(job: JobId, how: String, process: &mut WorkerProcess) -> End {
    let how = format!("the worker hung: {how}; its process {}", process.vitals());
    warn!(%job, "{how}: killing it");
    let reason = match process.terminate().await {
        Ok(()) => ReplaceReason::Dead {
            how: how.clone(),
            fault: Some(Cause::Job(job)),
        },
        Err(unkillable) => ReplaceReason::Stuck(unkillable),
    };
    let kind = DeathKind::Hang;
    (
        Ending::WorkerDied(Death { kind, how }),
        After::Replace(reason),
    )
}

fn no_video(request: &RenderRequest) -> Failure {
    let output = request.output.display();
    let message = format!("the worker reported a video, but {output} does not exist");
    Failure::new(Code::VIDEO_GONE, message)
}
