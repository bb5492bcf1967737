//! `cancel --keep`: a job ends with a video of the sections that it has.
//!
//! That a user wants it is a part of the job's record. A job that runs is suspended before its next step; then a run that
//! samples nothing makes the video. So a crash in between changes nothing. A run that has nothing left to sample goes on: it
//! makes the whole video, and the job is done.

use framepack_ipc::queue::ChangeOutcome;
use framepack_jobs::{Job, JobId, JobState, StateName, Timestamp};
use tracing::info;

use super::{core::Queue, runs::Control};

/// Ends a queued or running job with what it has.
pub(super) fn end_with_sections(
    queue: &mut Queue,
    id: JobId,
) -> Option<(ChangeOutcome, Option<String>)> {
    let record = queue.jobs.get(id)?;
    let is_running = record.job.is(StateName::Running);
    let sections = record.job.runs.sections_done;
    let goes_on = record.job.has_all_sections() && !is_halted(&record.job);
    if record.private.cancel_requested {
        let remark = "is being cancelled already, without a video";
        return Some((ChangeOutcome::Refused, Some(remark.to_owned())));
    }
    if sections == 0 && !is_running {
        queue.finish(id, JobState::cancelled(Timestamp::now()));
        return Some((ChangeOutcome::Changed, Some(no_video())));
    }
    let was_told = queue.change(id, |record| {
        let runs = &mut record.job.runs;
        (runs.held, runs.retry_at, runs.suspended_until) = (false, None, None);
        std::mem::replace(&mut runs.keep_sections, true)
    })?;
    // A second time it would stop the run that makes the video.
    if is_running && !was_told && !goes_on {
        queue.runs.control(id, Control::Keep);
    }
    queue.schedule.look_again();
    info!(job = %id, sections, "is to end with the sections that it has");
    let remark = match (is_running, queue.paused()) {
        (true, _) if goes_on && was_told => "is ending: its sections become a video".to_owned(),
        (true, _) if goes_on => {
            "has all its sections: it will be done, with the whole video".to_owned()
        }
        (true, _) if sections == 0 => {
            format!("will stop before its next step; it {}", no_video())
        }
        (false, Some(paused)) => {
            format!("{} once jobs begin again: {paused}", will_be(sections))
        }
        _ => will_be(sections),
    };
    Some((ChangeOutcome::Stopping, Some(remark)))
}

fn is_halted(job: &Job) -> bool {
    matches!(job.state, JobState::Running { paused: true, .. })
}

fn no_video() -> String {
    "has no finished section, so there is no video".to_owned()
}

fn will_be(sections: u32) -> String {
    match sections {
        1 => "will be cancelled with a video of its finished section".to_owned(),
        more => format!("will be cancelled with a video of its {more} finished sections"),
    }
}
