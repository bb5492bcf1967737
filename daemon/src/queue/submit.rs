//! A job enters, unless it is there already.

use framepack_config::Dedupe;
use framepack_jobs::StateName;
use tokio::sync::oneshot;

use super::{
    core::Queue,
    message::{Found, Survey, Wanted},
    outbox::{Clearing, Delivery, Unanswered},
    submission::{Submission, SubmitError, Submitted},
};
use crate::disk::Names;

/// What has to be looked for on the disks before a job is submitted.
pub(super) fn survey(queue: &Queue, wanted: Wanted) -> Survey {
    let Wanted { key, folder, stem } = wanted;
    let done = queue.jobs.live_or_done(&key);
    let done = done.filter(|job| job.is(StateName::Done));
    Survey {
        done: done.map(|job| (job.id, job.output.clone())),
        names: Names {
            taken: queue.jobs.reserved_like(&folder, &stem, None),
            current: None,
            folder,
            stem,
        },
    }
}

/// Adds a job. The copy of its image is removed when no job comes of it.
pub(super) fn submit(
    queue: &mut Queue,
    submission: Submission,
    found: Found,
    reply: oneshot::Sender<Result<Submitted, SubmitError>>,
) {
    let input = submission.input.clone();
    let taken = take(queue, submission, found);
    if !matches!(taken, Ok(Submitted::New(_))) {
        queue.outbox.clear(Clearing::RemoveInput(input));
    }
    match taken {
        Ok(outcome) => queue.outbox.put_submission(Unanswered { outcome, reply }),
        Err(refused) => {
            let _ = reply.send(Err(refused));
        }
    }
}

fn take(
    queue: &mut Queue,
    mut submission: Submission,
    found: Found,
) -> Result<Submitted, SubmitError> {
    let known = match submission.dedupe {
        Dedupe::Off => None,
        Dedupe::Skip | Dedupe::Warn => queue.jobs.live_or_done(&submission.key),
    };
    if let Some(known) = known.filter(|job| found.without_video != Some(job.id)) {
        if submission.dedupe == Dedupe::Skip {
            return Ok(duplicate(&submission, known));
        }
        let warning = format!(
            "duplicate of job {}; rendered anyway (spool.dedupe: warn)",
            known.id
        );
        submission.warnings.push(warning);
    }
    let max_jobs = queue.max_jobs();
    if queue.jobs.unfinished() >= max_jobs {
        return Err(SubmitError::Full { max_jobs });
    }
    let output = if queue.jobs.is_reserved(&found.output) {
        let Submission {
            spec, name, seed, ..
        } = &submission;
        let (folder, stem) = queue.renderer.output(spec, name, *seed);
        let taken = queue.jobs.reserved_like(&folder, &stem, None);
        let current = None;
        Names {
            folder,
            stem,
            current,
            taken,
        }
        .first()
    } else {
        found.output
    };
    let record = queue.jobs.add(|id| submission.into_record(id, output));
    let job = Box::new(record.job.clone());
    queue.outbox.put(Delivery::Announce(job.id));
    queue.schedule.look_again();
    Ok(Submitted::New(job))
}

/// What a submission is that has the key of this job.
fn duplicate(submission: &Submission, known: &framepack_jobs::Job) -> Submitted {
    let job = Box::new(known.clone());
    if known.spec != submission.spec {
        return Submitted::KeyTaken(job);
    }
    let rendered = submission.spec.clone().with(&submission.farm_defaults);
    let difference = rendered.difference(&job.rendered_spec());
    Submitted::Duplicate { job, difference }
}
