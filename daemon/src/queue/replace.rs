//! Another job in the place of one that has not begun or is tried again: the number and the place in the queue stay, and
//! all else is as if it had been submitted.

use std::path::PathBuf;

use framepack_ipc::edit::SetOf;
use framepack_jobs::{Job, Timestamp};
use tracing::info;

use super::{
    change::{deadline_dropped, forget_attempts, not_again, requeue, start_over},
    core::Queue,
    message::{Found, Image},
    outbox::{Clearing, Delivery},
    replacement::{NotReplaced, Replaced, Replacement, is_replaceable},
    schedule::LocalTime,
    submission::Submission,
};
use crate::{
    disk::Names,
    record::{Private, Record},
};

/// Puts a job in the place of another. Of two copies of start images, the one that is of no more use is removed. `image`:
/// whether the other's is there.
pub(super) fn replace(
    queue: &mut Queue,
    replacement: Replacement,
    found: Found,
    image: Image,
) -> Result<Replaced, NotReplaced> {
    let inputs = replacement.has_other_input().then(|| {
        let new = replacement.submission.input.clone();
        (new, replacement.was.private.input.clone())
    });
    let replaced = take(queue, replacement, found, image);
    if let Some((new, had)) = inputs {
        let of_no_use = match &replaced {
            Ok(Replaced::Changed { .. }) => had,
            _ => new,
        };
        queue.outbox.clear(Clearing::RemoveInput(of_no_use));
    }
    replaced
}

fn take(
    queue: &mut Queue,
    new: Replacement,
    found: Found,
    image: Image,
) -> Result<Replaced, NotReplaced> {
    check(queue, &new, &found, image)?;
    let id = new.was.job.id;
    if new.is_unchanged() && new.of == SetOf::Queued {
        return Ok(Replaced::Unchanged(Box::new(new.was.job.clone())));
    }
    let output = output(queue, &new, found);
    let before = queue.jobs.get(id).cloned().ok_or(NotReplaced::Gone(id))?;
    let next = Next::of(&before, new, output, queue.clock.sure());
    let job = Box::new(next.record.job.clone());
    queue.jobs.exchange(next.record);
    let time = LocalTime::now(&queue.clock);
    if !job.schedule.after.is_empty() && queue.schedule.waits_for_itself(&queue.jobs, time, id) {
        queue.jobs.exchange(before);
        return Err(NotReplaced::Circular(id));
    }
    queue.jobs.put(id);
    queue.schedule.note_replaced(id);
    queue.outbox.put(Delivery::Announce(id));
    info!(job = %id, name = job.name, "changed by a user");
    if next.starts_over {
        queue.outbox.clear(Clearing::Checkpoints(id));
    }
    if job.output != before.job.output {
        let old = &before.job.output;
        queue.outbox.clear(Clearing::Leftovers(old.clone()));
        queue.outbox.clear(Clearing::Release(id, old.clone()));
    }
    let remarks = next.remarks;
    Ok(Replaced::Changed { job, remarks })
}

/// A job's next record.
struct Next {
    record: Record,
    /// What earlier runs left is of no more use.
    starts_over: bool,
    /// What the user should know.
    remarks: Vec<String>,
}

impl Next {
    fn of(before: &Record, new: Replacement, output: PathBuf, now: Timestamp) -> Self {
        let mut record = before.clone();
        let dropped = match new.of {
            SetOf::Queued => None,
            SetOf::Failed { .. } => requeue(&mut record, now),
        };
        let resampled = new.resampled();
        let is_told_to = matches!(new.of, SetOf::Failed { from_start: true });
        let starts_over = is_told_to || !resampled.is_empty();
        if starts_over {
            start_over(&mut record);
            forget_attempts(&mut record);
        }
        let mut remarks = remarks(&new, &resampled, starts_over);
        if !new.is_unchanged() {
            fill(&mut record, new.submission, output);
        }
        // The file says it still, unless it was changed.
        let deadline = &mut record.job.schedule.deadline;
        if let Some(dropped) = dropped
            && deadline.is_none_or(|deadline| deadline == dropped)
        {
            *deadline = None;
            remarks.push(deadline_dropped(dropped));
        }
        Self {
            record,
            starts_over,
            remarks,
        }
    }
}

/// Whether the job may be that, as all is now.
fn check(queue: &Queue, new: &Replacement, found: &Found, image: Image) -> Result<(), NotReplaced> {
    let was = &new.was.job;
    let id = was.id;
    let record = queue.jobs.get(id).ok_or(NotReplaced::Gone(id))?;
    is_replaceable(&record.job, new.of)?;
    if queue.runs.preparing().contains(&id) {
        return Err(NotReplaced::State(id, "is about to begin".to_owned()));
    }
    if !is_still(record, &new.was) {
        return Err(NotReplaced::Meanwhile(id));
    }
    if let SetOf::Failed { .. } = new.of
        && let Some(why) = not_again(queue, id, Some(image))
    {
        return Err(NotReplaced::State(id, why));
    }
    let same = queue.jobs.live_or_done(&new.submission.key);
    let same = same.filter(|other| other.id != id && new.submission.key != was.key);
    match same.filter(|other| found.without_video != Some(other.id)) {
        Some(other) => Err(NotReplaced::Same {
            id,
            other: other.id,
            state: other.state.name(),
        }),
        None => Ok(()),
    }
}

/// Whether nobody has changed what the other job was made of.
fn is_still(record: &Record, was: &Record) -> bool {
    let of = |record: &Record| {
        let Record { job, private } = record.clone();
        (job.name, job.key, job.spec, job.schedule, private.input)
    };
    of(record) == of(was) && record.job.farm_defaults == was.job.farm_defaults
}

/// Where the video will be.
fn output(queue: &Queue, new: &Replacement, found: Found) -> PathBuf {
    let job = &new.was.job;
    if new.keeps_its_name(&queue.renderer) {
        return job.output.clone();
    }
    if !queue.jobs.is_reserved(&found.output) {
        return found.output;
    }
    let submission = &new.submission;
    let (folder, stem) = queue
        .renderer
        .output(&submission.spec, &submission.name, submission.seed);
    Names {
        taken: queue.jobs.reserved_like(&folder, &stem, Some(job.id)),
        current: None,
        folder,
        stem,
    }
    .first()
}

/// What is the job's own stays: its number, its state, when it came and how often it has run.
fn fill(record: &mut Record, new: Submission, output: PathBuf) {
    let Record { job, private } = record;
    if job.spec != new.spec || job.farm_defaults != new.farm_defaults {
        // They are those of a run of what it was.
        job.runs.settings.clear();
    }
    if job.schedule.window != new.schedule.window {
        job.runs.suspended_until = None;
    }
    job.runs.changed_at = Some(Timestamp::now());
    *job = Job {
        name: new.name,
        key: new.key,
        spec: new.spec,
        farm_defaults: new.farm_defaults,
        origins: new.origins,
        schedule: new.schedule,
        seed: new.seed,
        image: new.image,
        output,
        warnings: new.warnings,
        ..job.clone()
    };
    *private = Private {
        input: new.input,
        input_sha256: new.input_sha256,
        ..private.clone()
    };
}

/// What the user should know of it.
fn remarks(new: &Replacement, resampled: &[&str], starts_over: bool) -> Vec<String> {
    let sections = match new.was.job.runs.sections_done {
        0 => None,
        1 => Some("section that is finished".to_owned()),
        count => Some(format!("{count} sections that are finished")),
    };
    let sections = sections.map(|sections| match resampled {
        [] if !starts_over => format!("keeps the {sections}"),
        [] => format!("starts over, without the {sections}"),
        keys => format!(
            "starts over, without the {sections}: they depend on {}",
            keys.join(", ")
        ),
    });
    let known = &new.was.job.warnings;
    let warnings = new.submission.warnings.iter();
    let warnings = warnings.filter(|warning| !known.contains(warning));
    let warnings = warnings.map(|warning| format!("has a warning: {warning}"));
    sections.into_iter().chain(warnings).collect()
}
