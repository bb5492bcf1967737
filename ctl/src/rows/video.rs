//! A job's video: where it is, or will be, or why there is none.

use framepack_jobs::{Job, JobState};

use crate::terminal::wording::Wording;

/// The video in a line. Programs are named none that is not there.
pub(crate) fn video(job: &Job, wording: Wording) -> String {
    if let Some(result) = job.state.result() {
        return result.video.display().to_string();
    }
    let path = job.output.display();
    let Wording::Human { .. } = wording else {
        return if job.is_finished() {
            String::new()
        } else {
            path.to_string()
        };
    };
    match &job.state {
        JobState::Queued | JobState::Running { .. } => format!("{path} (not there yet)"),
        JobState::Failed { .. } => match job.runs.sections_done {
            0 => "none: the job failed before a section was finished".to_owned(),
            1 => "none: the job failed after 1 section".to_owned(),
            done => format!("none: the job failed after {done} sections"),
        },
        JobState::Expired { .. } => "none: the job expired before it was done".to_owned(),
        JobState::Cancelled { .. } => "none: the job was cancelled".to_owned(),
        // Its result says where it is.
        JobState::Done { .. } => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::{Code, Failure};

    use super::*;
    use crate::rows::example::{now, queued};

    #[test]
    fn only_a_video_that_is_there_or_will_be_is_named() {
        let human = Wording::Human { now: now() };
        let failed = JobState::Failed {
            finished_at: now(),
            failure: Failure::new(Code::IMAGE_FORMAT, "cat.jpg is not an image"),
        };
        let expired = JobState::Expired {
            finished_at: now(),
            failure: Failure::new(Code::DEADLINE_PASSED, "it is too late"),
        };
        for (state, sections, people, programs) in [
            (
                JobState::Queued,
                0,
                "/outputs/cat-7.mp4 (not there yet)",
                "/outputs/cat-7.mp4",
            ),
            (
                failed.clone(),
                0,
                "none: the job failed before a section was finished",
                "",
            ),
            (failed, 2, "none: the job failed after 2 sections", ""),
            (expired, 0, "none: the job expired before it was done", ""),
            (
                JobState::cancelled(now()),
                0,
                "none: the job was cancelled",
                "",
            ),
        ] {
            let mut job = queued();
            job.state = state;
            job.runs.sections_done = sections;
            assert_eq!(video(&job, human), people);
            assert_eq!(video(&job, Wording::Exact), programs);
        }
    }
}
