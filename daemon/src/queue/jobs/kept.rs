//! How long what jobs need is kept after they have ended.

use std::time::Duration;

use framepack_jobs::{Class, Job, JobState, Timestamp};

use crate::clock::is_known;

/// How long a failed or expired job's image and sections are kept, for a user to have it tried again.
const KEPT_FOR_RETRY: Duration = Duration::from_hours(7 * 24);
/// How long a key stands for the job that was done with it: 30 days.
const KEY_MEMORY_SECS: f64 = 30.0 * 86_400.0;

/// Whether a job needs its image and its sections: it has not ended, or a user may have it tried again. `now` has to be
/// sure.
pub(crate) fn is_kept(job: &Job, now: Timestamp) -> bool {
    match &job.state {
        JobState::Queued | JobState::Running { .. } => true,
        JobState::Failed { failure, .. } if failure.class == Class::Input => false,
        JobState::Failed { finished_at, .. } | JobState::Expired { finished_at, .. } => {
            let age_secs = now.secs_since(*finished_at);
            age_secs < KEPT_FOR_RETRY.as_secs_f64() || !is_known(*finished_at)
        }
        JobState::Done { .. } | JobState::Cancelled { .. } => false,
    }
}

/// Whether a job that was done then still stands for what is submitted with its key.
pub(super) fn is_recent(finished_at: Timestamp, now: Timestamp) -> bool {
    now.secs_since(finished_at) < KEY_MEMORY_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_08_a_key_is_remembered_for_thirty_days() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let done = time("2026-11-23T12:00:00.000000Z");
        assert!(is_recent(done, time("2026-12-23T11:59:59.000000Z")));
        assert!(!is_recent(done, time("2026-12-23T12:00:00.000000Z")));
        // A clock that was set back forgets nothing.
        assert!(is_recent(done, time("2026-11-22T12:00:00.000000Z")));
    }
}
