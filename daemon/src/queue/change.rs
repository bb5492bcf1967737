//! What users change about jobs that are there: cancelled, held, paused, of another priority, tried again.

use framepack_ipc::{
    queue::{Boundary, Change, ChangeOutcome, Changed},
    worker::{PauseAt, Precaution},
};
use framepack_jobs::{Job, JobId, JobState, StateName, Timestamp, Unmatched};
use tracing::info;

use super::{
    core::Queue,
    keep::end_with_sections,
    message::{Image, Images},
    order::{Order, Part, Pausing},
    outbox::Clearing,
    runs::Control,
};
use crate::record::Kept;

/// What became of a change of one job, with what the user should know.
type ChangeResult = (ChangeOutcome, Option<String>);

/// Changes the jobs that are meant. Of the queue or a group, those that run are told of.
pub(super) fn change(
    queue: &mut Queue,
    order: Order,
    images: &Images,
) -> Result<Vec<Changed>, Unmatched> {
    info!(?order, "queue changed by a user");
    queue.schedule.look_again();
    let (ids, results): (Vec<JobId>, Vec<_>) = match order {
        Order::Jobs(selectors, change) => {
            let selected = queue.jobs.select(&selectors)?;
            let ids: Vec<JobId> = selected.into_iter().map(|job| job.id).collect();
            let results = ids.iter().map(|id| change_job(queue, *id, change, images));
            let results = results.collect();
            (ids, results)
        }
        Order::Queue(part, pausing) => {
            note_pause(queue, &part, pausing != Pausing::Resume);
            if pausing == Pausing::Resume {
                queue.schedule.try_outages();
            }
            let ids = running_in(queue, &part);
            let results = ids.iter().map(|id| halt(queue, *id, pausing)).collect();
            (ids, results)
        }
    };
    let changed = ids.into_iter().zip(results).filter_map(|(id, result)| {
        let (outcome, remark) = result?;
        let job = Box::new(queue.jobs.get(id)?.job.clone());
        Some(Changed {
            job,
            outcome,
            remark,
        })
    });
    Ok(changed.collect())
}

/// Notes durably what of the queue does not begin.
fn note_pause(queue: &mut Queue, part: &Part, paused: bool) {
    match part {
        Part::All => queue.schedule.pause_all(&mut queue.jobs, paused),
        Part::Group(group) => queue.schedule.pause_group(&mut queue.jobs, group, paused),
    }
}

fn running_in(queue: &Queue, part: &Part) -> Vec<JobId> {
    let running = queue.jobs.running().map(|record| &record.job);
    let is_meant = |job: &&Job| match part {
        Part::Group(group) => job.schedule.group.as_ref() == Some(group),
        Part::All => true,
    };
    running.filter(is_meant).map(|job| job.id).collect()
}

/// Tells a running job's worker where to halt, or to go on.
fn halt(queue: &mut Queue, id: JobId, pausing: Pausing) -> Option<ChangeResult> {
    if queue.jobs.get(id)?.job.runs.keep_sections {
        return None; // it ends in a moment
    }
    let (control, remark) = match pausing {
        Pausing::Pause(Boundary::Job) => {
            return Some(changed(Some("will run to completion".to_owned())));
        }
        Pausing::Pause(Boundary::Step) => (
            Control::Pause(PauseAt::Step),
            "will pause before its next step",
        ),
        Pausing::Pause(Boundary::Section) => (
            Control::Pause(PauseAt::Section),
            "will pause at the end of its section",
        ),
        Pausing::Resume if queue.jobs.get(id)?.job.runs.held => {
            return Some(changed(Some(format!(
                "is held itself: use `framepackctl resume {id}`"
            ))));
        }
        Pausing::Resume => (Control::Resume, "resumes"),
    };
    queue.runs.control(id, control);
    Some(changed(Some(remark.to_owned())))
}

fn change_job(
    queue: &mut Queue,
    id: JobId,
    change: Change,
    images: &Images,
) -> Option<ChangeResult> {
    let job = &queue.jobs.get(id)?.job;
    let state = job.state.name();
    let is_ending = job.runs.keep_sections && !job.is_finished();
    match (change, state) {
        (Change::Cancel, StateName::Queued) => {
            queue.finish(id, JobState::cancelled(Timestamp::now()));
            Some(changed(None))
        }
        (Change::CancelKeep, StateName::Queued | StateName::Running) => {
            end_with_sections(queue, id)
        }
        (Change::Cancel, StateName::Running) => stop(queue, id),
        (
            Change::Hold
            | Change::Release
            | Change::Pause { .. }
            | Change::Resume
            | Change::Priority { .. },
            _,
        ) if is_ending => Some(refused(
            "is being cancelled: its finished sections become a video".to_owned(),
        )),
        (Change::Hold | Change::Pause { .. }, StateName::Queued) => set_held(queue, id, true),
        (Change::Release | Change::Resume, StateName::Queued) => set_held(queue, id, false),
        (Change::Pause { at: Boundary::Job }, StateName::Running) => {
            halt(queue, id, Pausing::Pause(Boundary::Job))
        }
        (Change::Pause { at }, StateName::Running) => {
            set_held(queue, id, true);
            halt(queue, id, Pausing::Pause(at))
        }
        (Change::Resume, StateName::Running) => {
            set_held(queue, id, false);
            halt(queue, id, Pausing::Resume)
        }
        (Change::Hold | Change::Release, StateName::Running) => {
            Some(refused("is running: use `pause` and `resume`".to_owned()))
        }
        (Change::Priority { priority }, StateName::Queued | StateName::Running) => {
            queue.change(id, |record| record.job.schedule.priority = priority);
            Some(changed(None))
        }
        (Change::Retry { from_start }, StateName::Failed | StateName::Expired) => {
            retry(queue, id, from_start, images.get(&id).copied())
        }
        (Change::Retry { .. }, StateName::Cancelled) => Some(refused(format!(
            "is {state}, and what it needs has been removed: submit its file again"
        ))),
        (Change::Retry { .. }, StateName::Queued | StateName::Running) => {
            Some(refused(format!("is {state}")))
        }
        (_, StateName::Done | StateName::Failed | StateName::Cancelled | StateName::Expired) => {
            Some(refused(format!("is already {state}")))
        }
    }
}

/// Cancels a running job at its next step.
fn stop(queue: &mut Queue, id: JobId) -> Option<ChangeResult> {
    queue.change(id, |record| record.private.cancel_requested = true)?;
    // At once, whatever the store says: after a crash in between it merely runs again.
    queue.runs.control(id, Control::Cancel);
    let remark = "will stop before its next step".to_owned();
    Some((ChangeOutcome::Stopping, Some(remark)))
}

fn set_held(queue: &mut Queue, id: JobId, held: bool) -> Option<ChangeResult> {
    queue.change(id, |record| record.job.runs.held = held)?;
    Some(changed(None))
}

/// Queues a failed or expired job again, as if it had never been tried, but with the sections that it has. `image`: whether its
/// copy of the start image was found. The name of its video is looked at again when it begins.
fn retry(
    queue: &mut Queue,
    id: JobId,
    from_start: bool,
    image: Option<Image>,
) -> Option<ChangeResult> {
    if image == Some(Image::Gone) {
        return Some(refused(
            "no longer has its image: submit its file again".to_owned(),
        ));
    }
    let now = queue.clock.sure();
    if let Some(other) = successor(queue, id) {
        return Some(refused(format!("was submitted again, as job {other}")));
    }
    let dropped = queue.change(id, |record| {
        let job = &mut record.job;
        job.transition(JobState::Queued)
            .expect("a job that failed or expired may be queued again");
        // It would expire again at once.
        let deadline = &mut job.schedule.deadline;
        let dropped = deadline.take_if(|deadline| *deadline <= now);
        (job.runs.retries, job.runs.starts_without_progress) = (0, 0);
        (job.runs.retry_at, job.runs.held) = (None, false);
        job.runs.suspended_until = None;
        job.runs.keep_sections = false;
        if from_start {
            (job.runs.sections_done, job.runs.rung) = (0, 0);
            record.private.kept = Kept::default();
            record.private.host_rung = 0;
        }
        record.private.worker_deaths = 0;
        record.private.was_retried = true;
        record.private.cancel_requested = false;
        record.private.precaution = Precaution::None;
        dropped
    })?;
    if from_start {
        queue.outbox.clear(Clearing::Checkpoints(id));
    }
    Some(changed(dropped.map(|deadline| {
        format!("its deadline, {deadline}, has passed and no longer applies")
    })))
}

/// A later job of the same key that has a video or will have one.
fn successor(queue: &Queue, id: JobId) -> Option<JobId> {
    let latest = queue.jobs.by_key(&queue.jobs.get(id)?.job.key)?;
    let lives = !latest.is_finished() || latest.is(StateName::Done);
    (latest.id != id && lives).then_some(latest.id)
}

fn changed(remark: Option<String>) -> ChangeResult {
    (ChangeOutcome::Changed, remark)
}

fn refused(remark: String) -> ChangeResult {
    (ChangeOutcome::Refused, Some(remark))
}
