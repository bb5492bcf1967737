//! One job at a worker, from its assignment to its end.

use std::time::Duration;

use framepack_ipc::worker::{FromWorker, Phase, Progress, RenderRequest, RungTaken, ToWorker};
use framepack_jobs::{Class, Code, Failure, JobId};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout},
};
use tracing::warn;

use super::{
    After, FIRST_PAUSE, ReplaceReason, Supervisor,
    faults::Cause,
    process::{WorkerError, WorkerProcess},
    watchdog::Silence,
};
use crate::queue::{Assignment, Control, Death, DeathKind, Ending, Stopping, WorkerReport};

/// Ctrl-C in a terminal reaches the workers, too: a worker that dies just before we hear of it did not crash.
const INTERRUPT_WINDOW: Duration = Duration::from_millis(200);

/// A job while it runs.
#[derive(Debug)]
struct Run {
    request: RenderRequest,
    assigned_at: Instant,
    /// From the assignment to the begin of the first step.
    time_to_first_step: Option<Duration>,
    /// When its worker is killed, once the job was cancelled.
    kill_at: Option<Instant>,
}

/// How a run ended, and what its worker is good for.
type End = (Ending, After);

impl Supervisor {
    /// Has one job rendered.
    pub(super) async fn render(
        &mut self,
        process: &mut WorkerProcess,
        assignment: Assignment,
    ) -> Result<After, Stopping> {
        let Assignment {
            request,
            mut control,
        } = assignment;
        let mut run = Run {
            assigned_at: Instant::now(),
            time_to_first_step: None,
            kill_at: None,
            request,
        };
        let job = run.request.job;
        self.watchdog.begin(run.assigned_at);
        let render = ToWorker::Render(Box::new(run.request.clone()));
        process.send(&render);
        let (ending, after) = loop {
            let now = Instant::now();
            let (kill_at, deadline) = (run.kill_at, self.watchdog.deadline());
            select! {
                // In this order: what was said in time is heard before the silence is held against the worker, and
                // one that never stops talking can be stopped.
                biased;
                () = self.shutdown.cancelled() => break stop(process).await,
                () = sleep_until(kill_at.unwrap_or(now)), if kill_at.is_some() => {
                    break kill_unresponsive(job, process).await;
                }
                Some(control_message) = control.recv() => self.pass_on(control_message, &mut run, process),
                message = process.receive() => match message {
                    Ok(message) => if let Some(ending) = self.heard(&mut run, message).await? {
                        let after = self.after(job, &ending);
                        break (ending, after);
                    },
                    Err(death) => break self.end_of_dead(job, &death).await,
                },
                question = self.questions.next() => process.send(&question),
                () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => {
                    if let Silence::Hung(how) = self.watchdog.judge_silence(Instant::now()) {
                        break kill_hung(job, how, process).await;
                    }
                }
            }
        };
        self.queue.end(job, ending).await?;
        Ok(after)
    }

    /// Tells the worker what a user wants of its job.
    fn pass_on(&mut self, control_message: Control, run: &mut Run, process: &WorkerProcess) {
        let job = run.request.job;
        let message = match control_message {
            Control::Cancel => {
                let grace = self.watchdog.cancel_grace();
                run.kill_at.get_or_insert_with(|| Instant::now() + grace);
                ToWorker::Cancel { job }
            }
            Control::Pause(at) => ToWorker::Pause { job, at },
            Control::Resume => {
                self.watchdog.resume_requested(Instant::now());
                ToWorker::Resume { job }
            }
        };
        process.send(&message);
    }

    /// Notes and passes on what the worker says; the ending, if that was its last word on the job.
    async fn heard(
        &mut self,
        run: &mut Run,
        message: FromWorker,
    ) -> Result<Option<Ending>, Stopping> {
        let now = Instant::now();
        let report = match message {
            FromWorker::Started { plan, .. } => {
                self.watchdog.started(&run.request, &plan, now);
                WorkerReport::Started(plan)
            }
            FromWorker::Progress { progress, .. } => {
                self.watchdog.progressed(progress, now);
                run.progressed(progress, now);
                WorkerReport::Progress(progress)
            }
            FromWorker::Checkpoint { sections_done, .. } => WorkerReport::Checkpoint(sections_done),
            FromWorker::Rung {
                rung, name, reason, ..
            } => {
                self.watchdog.climbed(rung, now);
                WorkerReport::Rung(RungTaken { rung, name, reason })
            }
            FromWorker::Paused { .. } => {
                self.watchdog.paused();
                WorkerReport::Paused
            }
            FromWorker::Resumed { .. } => {
                self.watchdog.resumed(now);
                WorkerReport::Resumed
            }
            FromWorker::Planned { ask, outcome } => {
                self.questions.answer(ask, outcome);
                return Ok(None);
            }
            FromWorker::Ready(_) => {
                warn!(job = %run.request.job, "the worker reported ready a second time");
                return Ok(None);
            }
            last_word => return Ok(run.ending(last_word)),
        };
        self.queue.report(run.request.job, report).await?;
        Ok(None)
    }

    /// What becomes of a worker after a job's last word. One whose device has failed exits by itself: the next job is
    /// for its successor.
    fn after(&mut self, job: JobId, ending: &Ending) -> After {
        match ending {
            Ending::Failed(failure) if failure.class == Class::Gpu => {
                After::Replace(ReplaceReason::Dead {
                    how: failure.message.clone(),
                    fault: Some(Cause::Job(job)),
                })
            }
            Ending::Done(_) => {
                self.faults.forget();
                self.pause = FIRST_PAUSE;
                After::Ready
            }
            _ => After::Ready,
        }
    }

    /// The end of a job whose worker died by itself.
    async fn end_of_dead(&mut self, job: JobId, death: &WorkerError) -> End {
        let how = death.to_string();
        if timeout(INTERRUPT_WINDOW, self.shutdown.cancelled())
            .await
            .is_ok()
        {
            return (Ending::Interrupted, After::Stop);
        }
        let kind = death.kind();
        // Want of memory is no fault of the device.
        let fault = (kind != DeathKind::OutOfMemoryKill).then_some(Cause::Job(job));
        let ending = Ending::WorkerDied(Death {
            kind,
            how: how.clone(),
        });
        (ending, After::Replace(ReplaceReason::Dead { how, fault }))
    }
}

impl Run {
    fn progressed(&mut self, progress: Progress, now: Instant) {
        if progress.phase == Phase::Sample {
            self.time_to_first_step
                .get_or_insert_with(|| now - self.assigned_at);
        }
    }

    /// What the worker's last word means; `None` if it was none.
    fn ending(&self, message: FromWorker) -> Option<Ending> {
        match message {
            FromWorker::Done { mut output, .. } if self.request.output.is_file() => {
                output.time_to_first_step_secs =
                    self.time_to_first_step.map(|time| time.as_secs_f64());
                Some(Ending::Done(output))
            }
            FromWorker::Done { .. } => Some(Ending::Failed(no_video(&self.request))),
            FromWorker::Failed { failure, .. } => Some(Ending::Failed(failure)),
            FromWorker::Cancelled { .. } => Some(Ending::Cancelled),
            FromWorker::Suspended { .. } => Some(Ending::Suspended),
            _ => None,
        }
    }
}

/// The daemon stops. The worker is gone before its job is queued again, so that nothing is written after that.
async fn stop(process: &mut WorkerProcess) -> End {
    if let Err(unkillable) = process.close().await {
        warn!("{unkillable}");
    }
    (Ending::Interrupted, After::Stop)
}

/// The job was cancelled, and its worker does not stop.
async fn kill_unresponsive(job: JobId, process: &mut WorkerProcess) -> End {
    warn!(%job, "does not stop: killing its worker");
    let reason = match process.terminate().await {
        Ok(()) => ReplaceReason::Dead {
            how: "killed because it did not stop a cancelled job".to_owned(),
            fault: None,
        },
        Err(unkillable) => ReplaceReason::Stuck(unkillable),
    };
    (Ending::Cancelled, After::Replace(reason))
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
