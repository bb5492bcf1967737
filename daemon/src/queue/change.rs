//! What users change about jobs that are there: cancelled, held, paused, of another priority, tried again.

use framepack_ipc::{
    queue::{Boundary, Change, ChangeOutcome, ChangeRequest, Changed, Scope},
    worker::{PauseAt, Precaution},
};
use framepack_jobs::{Job, JobId, JobState, StateName, Timestamp, Unmatched, select};
use tracing::info;

use super::{Control, Queue, scheduler::PAUSES};

/// What became of a change of one job, with what the user should know.
type ChangeResult = (ChangeOutcome, Option<String>);

impl Queue {
    /// Changes the jobs that are meant; for a group and for all, those that run are told of.
    pub(super) fn change(&mut self, request: ChangeRequest) -> Result<Vec<Changed>, Unmatched> {
        let ChangeRequest { scope, change } = request;
        info!(?scope, ?change, "queue changed by a user");
        self.scheduler.look_again();
        let ids = match &scope {
            Scope::Jobs(selectors) => {
                let jobs = self.jobs.values().map(|record| &record.job);
                let selected = select(selectors, jobs)?;
                selected.into_iter().map(|job| job.id).collect()
            }
            Scope::Group(_) | Scope::All => {
                self.change_pauses(&scope, change);
                self.running_in(&scope)
            }
        };
        let is_whole = !matches!(scope, Scope::Jobs(_));
        Ok(ids
            .into_iter()
            .map(|id| {
                let (outcome, remark) = if is_whole {
                    self.halt(id, change)
                } else {
                    self.change_job(id, change)
                };
                Changed {
                    job: Box::new(self.jobs[&id].job.clone()),
                    outcome,
                    remark,
                }
            })
            .collect())
    }

    /// Notes durably what of the queue does not begin.
    fn change_pauses(&mut self, scope: &Scope, change: Change) {
        let pauses = &mut self.scheduler.pauses;
        match (scope, change) {
            (Scope::All, Change::Pause { .. }) => pauses.all = true,
            (Scope::All, Change::Resume) => pauses.all = false,
            (Scope::Group(group), Change::Pause { .. }) => {
                pauses.groups.insert(group.clone());
            }
            (Scope::Group(group), Change::Resume) => {
                pauses.groups.remove(group);
            }
            _ => return,
        }
        self.store.put_note(PAUSES, &self.scheduler.pauses);
    }

    fn running_in(&self, scope: &Scope) -> Vec<JobId> {
        let running = self.index.running().iter().copied();
        match scope {
            Scope::Group(group) => running
                .filter(|id| self.jobs[id].job.schedule.group.as_ref() == Some(group))
                .collect(),
            _ => running.collect(),
        }
    }

    /// Tells a running job's worker where to halt, or to go on.
    fn halt(&mut self, id: JobId, change: Change) -> ChangeResult {
        let (control, remark) = match change {
            Change::Pause { at: Boundary::Job } => {
                return changed(Some("will run to completion".to_owned()));
            }
            Change::Pause { at: Boundary::Step } => (
                Control::Pause(PauseAt::Step),
                "will pause before its next step",
            ),
            Change::Pause {
                at: Boundary::Section,
            } => (
                Control::Pause(PauseAt::Section),
                "will pause at the end of its section",
            ),
            _ if self.jobs[&id].job.runs.held => {
                return changed(Some(format!(
                    "is held itself: use `framepackctl resume {id}`"
                )));
            }
            _ => (Control::Resume, "resumes"),
        };
        self.control(id, control);
        changed(Some(remark.to_owned()))
    }

    fn change_job(&mut self, id: JobId, change: Change) -> ChangeResult {
        let job = &self.jobs[&id].job;
        let state = job.state.name();
        match (change, state) {
            (Change::Cancel, StateName::Queued) => {
                let finished_at = Timestamp::now();
                self.finish(id, JobState::Cancelled { finished_at });
                changed(None)
            }
            (Change::Cancel, StateName::Running) => self.stop(id),
            (Change::Hold | Change::Pause { .. }, StateName::Queued) => self.set_held(id, true),
            (Change::Release | Change::Resume, StateName::Queued) => self.set_held(id, false),
            (Change::Pause { at: Boundary::Job }, StateName::Running) => self.halt(id, change),
            (Change::Pause { .. }, StateName::Running) => {
                self.set_held(id, true);
                self.halt(id, change)
            }
            (Change::Resume, StateName::Running) => {
                self.set_held(id, false);
                self.halt(id, change)
            }
            (Change::Hold | Change::Release, StateName::Running) => {
                refused("is running: use `pause` and `resume`".to_owned())
            }
            (Change::Priority { priority }, StateName::Queued | StateName::Running) => {
                let record = self.jobs.get_mut(&id).expect("it was found above");
                record.job.schedule.priority = priority;
                self.persist(id);
                changed(None)
            }
            (Change::Retry { from_start }, StateName::Failed) => self.retry(id, from_start),
            (Change::Retry { .. }, StateName::Cancelled | StateName::Expired) => refused(format!(
                "is {state}, and what it needs has been removed: submit its file again"
            )),
            (Change::Retry { .. }, StateName::Queued | StateName::Running) => {
                refused(format!("is {state}"))
            }
            (
                _,
                StateName::Done | StateName::Failed | StateName::Cancelled | StateName::Expired,
            ) => refused(format!("is already {state}")),
        }
    }

    /// Cancels a running job at its next step.
    fn stop(&mut self, id: JobId) -> ChangeResult {
        let record = self.jobs.get_mut(&id).expect("it was selected");
        record.private.cancel_requested = true;
        self.persist(id);
        // At once, whatever the store says: after a crash in between it merely runs again.
        self.control(id, Control::Cancel);
        let remark = "will stop before its next step".to_owned();
        (ChangeOutcome::Stopping, Some(remark))
    }

    fn set_held(&mut self, id: JobId, held: bool) -> ChangeResult {
        let record = self.jobs.get_mut(&id).expect("it was selected");
        record.job.runs.held = held;
        self.persist(id);
        changed(None)
    }

    /// Queues a failed job again, as if it had never been tried, but with the sections that it has.
    fn retry(&mut self, id: JobId, from_start: bool) -> ChangeResult {
        let job = &self.jobs[&id].job;
        if !self.jobs[&id].private.input.is_file() {
            return refused("no longer has its image: submit its file again".to_owned());
        }
        if let Some(other) = self.successor(job) {
            return refused(format!("was submitted again, as job {other}"));
        }
        let output = job.output.clone();
        let is_taken = output.exists() || self.index.is_reserved(&output);
        let output = if is_taken {
            let (spec, name, seed) = (&job.spec, &job.name, job.seed);
            self.free_output(spec, name, seed)
        } else {
            output
        };
        let record = self.jobs.get_mut(&id).expect("it was selected");
        let job = &mut record.job;
        job.output = output;
        job.transition(JobState::Queued)
            .expect("a failed job may be queued again");
        (job.runs.retries, job.runs.starts_without_progress) = (0, 0);
        (job.runs.retry_at, job.runs.held) = (None, false);
        record.private.worker_deaths = 0;
        record.private.cancel_requested = false;
        record.private.precaution = Precaution::None;
        if from_start {
            (job.runs.sections_done, job.runs.rung) = (0, 0);
            self.renderer.clear_checkpoints(id);
        }
        self.persist(id);
        changed(None)
    }

    /// A later job of the same key that has a video or will have one.
    fn successor(&self, job: &Job) -> Option<JobId> {
        let latest = self.index.by_key(&job.key)?;
        let other = &self.jobs[&latest].job;
        let lives = !other.is_finished() || other.is(StateName::Done);
        (latest != job.id && lives).then_some(latest)
    }
}

fn changed(remark: Option<String>) -> ChangeResult {
    (ChangeOutcome::Changed, remark)
}

fn refused(remark: String) -> ChangeResult {
    (ChangeOutcome::Refused, Some(remark))
}
