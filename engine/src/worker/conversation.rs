//! What worker and daemon say to each other while a job is rendered.

use std::{io::Write, ops::ControlFlow};

use framepack_ipc::worker::{FromWorker, PauseAt, Phase, PlanOutcome, Progress};
use framepack_jobs::JobId;

use super::{
    inbox::{Inbox, Question},
    replies::Replies,
};
use crate::{
    error::Error,
    plan::Planner,
    progress::{Stop, Update},
};

/// One job's.
pub(super) struct Conversation<'a, W> {
    pub(super) job: JobId,
    /// Answers questions.
    pub(super) planner: Planner,
    pub(super) inbox: &'a mut Inbox,
    pub(super) replies: &'a mut Replies<W>,
}

impl<W: Write> Conversation<'_, W> {
    /// Passes news on, does what the daemon wants in this moment, and says whether the job goes on.
    pub(super) fn tell(&mut self, update: Update<'_>) -> Result<ControlFlow<Stop>, Error> {
        self.replies.send(&self.message(update))?;
        self.answer()?;
        if is_before_a_step(update) {
            self.stand_still()?;
        }
        let control = self.inbox.control();
        let is_to_end = |at| control.is_to_pause(self.job, at);
        Ok(if control.is_to_stop(self.job) {
            ControlFlow::Break(Stop::Cancel)
        } else if (is_between_sections(update) && is_to_end(PauseAt::Section))
            || (has_work_left(update) && is_to_end(PauseAt::StepEnd))
        {
            ControlFlow::Break(Stop::Suspend)
        } else {
            ControlFlow::Continue(())
        })
    }

    fn message(&self, update: Update<'_>) -> FromWorker {
        let job = self.job;
        match update {
            Update::Started(plan) => FromWorker::Started {
                job,
                plan: plan.clone(),
            },
            Update::Progress(progress) => FromWorker::Progress { job, progress },
            Update::Checkpoint(sections_done) => FromWorker::Checkpoint { job, sections_done },
            Update::Kept {
                sections,
                steps,
                pieces,
            } => FromWorker::Kept {
                job,
                sections,
                steps,
                pieces,
            },
            Update::Rung(taken) => FromWorker::Rung {
                job,
                rung: taken.rung,
                name: taken.name.clone(),
                reason: taken.reason.clone(),
            },
        }
    }

    fn answer(&mut self) -> Result<(), Error> {
        for question in self.inbox.take_questions() {
            self.replies.send(&answer(&question, &self.planner))?;
        }
        Ok(())
    }

    /// Waits for as long as the job is to pause here; questions are answered meanwhile.
    fn stand_still(&mut self) -> Result<(), Error> {
        let job = self.job;
        let mut is_paused = false;
        loop {
            let control = self.inbox.control();
            if control.is_to_stop(job) {
                return Ok(());
            }
            if !control.is_to_pause(job, PauseAt::Step) {
                break;
            }
            if !is_paused {
                self.replies.send(&FromWorker::Paused { job })?;
                is_paused = true;
            }
            self.answer()?;
            self.inbox.wait_for_change(control);
        }
        // One that ends its run here does not go on.
        if is_paused && !self.inbox.control().is_to_pause(job, PauseAt::StepEnd) {
            self.replies.send(&FromWorker::Resumed { job })?;
        }
        Ok(())
    }
}

/// What a job would take, or why it does not fit.
pub(super) fn answer(question: &Question, planner: &Planner) -> FromWorker {
    let outcome = match planner.plan(&question.request) {
        Ok(plan) => PlanOutcome::Plan(Box::new(plan)),
        Err(error) => PlanOutcome::Refused(error.failure()),
    };
    FromWorker::Planned {
        ask: question.ask,
        outcome,
    }
}

/// Whether nothing that was made would be lost now.
fn is_between_sections(update: Update<'_>) -> bool {
    match update {
        Update::Checkpoint(_) | Update::Kept { .. } => true,
        Update::Progress(progress) => progress.phase == Phase::Sample && progress.step == 0,
        Update::Started(_) | Update::Rung(_) => false,
    }
}

/// Whether the device has something left to do for the job.
fn has_work_left(update: Update<'_>) -> bool {
    let writes = |progress: Progress| matches!(progress.phase, Phase::Encode | Phase::Verify);
    !matches!(update, Update::Progress(progress) if writes(progress))
}

/// Whether a step is what comes next.
fn is_before_a_step(update: Update<'_>) -> bool {
    matches!(
        update,
        Update::Progress(Progress { phase: Phase::Sample, step, steps, .. }) if step < steps
    )
}
