//! The end of a window: running jobs whose file says so are suspended then.

use framepack_ipc::worker::PauseAt;
use framepack_jobs::{AtEnd, Job, JobId, JobState};
use tracing::info;

use super::{core::Queue, runs::Control, schedule::LocalTime};

/// Tells the workers of jobs whose window has ended to suspend them; each once, unless a user has told it something else
/// since.
pub(super) fn close_windows(queue: &mut Queue) {
    let time = LocalTime::now(&queue.clock);
    let running = queue.jobs.running().map(|record| &record.job);
    let ended: Vec<(JobId, PauseAt)> = running
        .filter_map(|job| Some((job.id, where_to_end(job, &time)?)))
        .filter(|(id, at)| queue.runs.was_told(*id) != Some(Control::Pause(*at)))
        .collect();
    for (id, at) in ended {
        info!(job = %id, ?at, "its window has ended: suspending it");
        queue.runs.control(id, Control::Pause(at));
    }
}

/// Whether a job that runs may have to be suspended when its window ends.
pub(super) fn has_end(job: &Job) -> bool {
    let window = job.schedule.window;
    window.is_some_and(|window| window.at_end() != AtEnd::Finish)
}

/// Where a job is to end its run because its window has ended.
pub(super) fn where_to_end(job: &Job, time: &LocalTime) -> Option<PauseAt> {
    if job.runs.keep_sections {
        return None; // it ends in a moment
    }
    let window = job.schedule.window.filter(|window| !time.is_in(*window))?;
    // One that stands still would have to go on to reach the end of its section.
    let stands_still = matches!(job.state, JobState::Running { paused: true, .. });
    match window.at_end() {
        AtEnd::Finish => None,
        AtEnd::Section if !stands_still => Some(PauseAt::Section),
        AtEnd::Section | AtEnd::Step => Some(PauseAt::StepEnd),
    }
}
