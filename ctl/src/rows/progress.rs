//! How far a job is.

use framepack_jobs::{Job, JobState, Phase, Progress};

use crate::{step_cache, terminal::wording::Wording};

/// How far the job is, and when it is tried again after a failure.
pub(super) fn progress(job: &Job, wording: Wording) -> String {
    match &job.state {
        JobState::Queued => match job.runs.retry_at {
            Some(again) if wording.is_due(again) => "retry is due".to_owned(),
            Some(again) => format!("retry at {}", wording.time(again)),
            None => finished_sections(job),
        },
        JobState::Running {
            progress: Some(progress),
            ..
        } => describe(progress),
        JobState::Running { progress: None, .. } => "starting".to_owned(),
        _ => String::new(),
    }
}

/// `2 sections done`, of a job that does not run; empty where it has none.
pub(crate) fn finished_sections(job: &Job) -> String {
    match job.runs.sections_done {
        0 => String::new(),
        1 => "1 section done".to_owned(),
        sections => format!("{sections} sections done"),
    }
}

/// `section 2/4 step 18/25`, counted from 1 as people do.
pub(crate) fn describe(progress: &Progress) -> String {
    let section = (progress.section + 1).min(progress.sections);
    let of_section = format!("section {section}/{}", progress.sections);
    match progress.phase {
        Phase::Load => "loading models".to_owned(),
        Phase::Text => "encoding prompt".to_owned(),
        Phase::Image => "encoding image".to_owned(),
        Phase::Sample => format!(
            "{of_section} step {}/{}{}",
            progress.step,
            progress.steps,
            step_cache::reused_so_far(progress)
        ),
        Phase::Decode => format!("{of_section} decoding"),
        Phase::Encode => "writing video".to_owned(),
        Phase::Verify => "checking video".to_owned(),
        _ => "working".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::example::{now, queued};

    #[test]
    fn a_retry_whose_time_has_come_is_due() {
        let told = |again: &str, wording| {
            let mut job = queued();
            job.runs.retry_at = Some(again.parse().unwrap());
            progress(&job, wording)
        };
        let human = Wording::Human { now: now() };
        let past = "2026-11-23T21:59:00.000000Z";
        assert_eq!(told(past, human), "retry is due");
        // Programs compare times themselves.
        assert_eq!(told(past, Wording::Exact), format!("retry at {past}"));
        let comes = told("2026-11-23T22:12:00.000000Z", human);
        assert!(comes.ends_with("(in 12 min)"), "{comes}");
    }
}
