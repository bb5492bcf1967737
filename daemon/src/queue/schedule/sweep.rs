//! Jobs that end without having begun: their deadline has passed, or a job that they run after has no video.

use framepack_jobs::{Code, Failure, Job, JobId, JobState, StateName, Timestamp};

use super::{
    context::{Eligibility, SchedulingContext, next_change},
    dependencies::circular,
};

/// The jobs that end, and when another verdict may change by itself.
pub(super) fn doomed(
    mut context: SchedulingContext<'_>,
    now: Timestamp,
) -> (Vec<(JobId, JobState)>, Option<Timestamp>) {
    let failed = |failure| JobState::Failed {
        finished_at: now,
        failure,
    };
    let mut doomed = Vec::new();
    for id in context.waiting_for_themselves() {
        context.doom(id, StateName::Failed);
        doomed.push((id, failed(circular())));
    }
    // Again when one has ended: a job of a lower number may wait for it.
    loop {
        let mut due = None;
        let before = doomed.len();
        for job in context.queued() {
            if context.is_doomed(job.id) {
                continue;
            }
            let eligibility = context.judge(job);
            due = due
                .into_iter()
                .chain(next_change(job, &eligibility, [now, context.sure()]))
                .min();
            let state = match eligibility {
                Eligibility::Ready | Eligibility::Waits(_) => continue,
                Eligibility::Expired => JobState::Expired {
                    finished_at: now,
                    failure: expired(job),
                },
                Eligibility::Fails(failure) => failed(failure),
            };
            context.doom(job.id, state.name());
            doomed.push((job.id, state));
        }
        if doomed.len() == before {
            return (doomed, due);
        }
    }
}

fn expired(job: &Job) -> Failure {
    let deadline = job.schedule.deadline.map(|deadline| deadline.to_string());
    let deadline = deadline.unwrap_or_default();
    let message = format!("its deadline, {deadline}, passed before it started");
    Failure::new(Code::DEADLINE_PASSED, message)
}
