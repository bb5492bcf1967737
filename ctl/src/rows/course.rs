//! When a job began, where, and how it ended, as `show` and `status` print it.

use framepack_jobs::{Job, JobState, Timestamp};

use crate::terminal::wording::Wording;

/// What there is to say of a job, each with its label.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// Begin, device, end, and why and what to do where it failed.
pub(crate) fn course(job: &Job, wording: Wording) -> Facts {
    match &job.state {
        JobState::Queued => Facts::new(),
        JobState::Running {
            started_at, device, ..
        } => vec![
            ("started", wording.time(*started_at)),
            ("device", device.clone()),
        ],
        JobState::Done {
            started_at,
            finished_at,
            ..
        } => {
            let secs = finished_at.secs_since(*started_at);
            vec![
                ("started", wording.time(*started_at)),
                ("finished", finished(*finished_at, secs, wording)),
            ]
        }
        JobState::Failed {
            finished_at,
            failure,
        }
        | JobState::Expired {
            finished_at,
            failure,
        } => vec![
            ("finished", wording.time(*finished_at)),
            ("failure", failure.code.behind(&failure.message)),
            ("hint", failure.hint.clone().unwrap_or_default()),
        ],
        JobState::Cancelled { finished_at, .. } => {
            vec![("finished", wording.time(*finished_at))]
        }
    }
}

/// When a video was ready, and how long it took.
fn finished(at: Timestamp, took_secs: f64, wording: Wording) -> String {
    let took = wording.span(took_secs);
    match wording {
        Wording::Exact => format!("{at} (after {took})"),
        Wording::Human { .. } => format!("{}, done in {took}", wording.time(at)),
    }
}
