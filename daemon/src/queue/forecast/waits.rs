//! From when on a job that waits may begin.

use framepack_ipc::estimate::Estimate;
use framepack_jobs::{Job, JobId, Timestamp};

use crate::queue::schedule::{Eligibility, SchedulingContext, Wait};

/// From when on a queued job may begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Availability {
    /// Now, when its turn comes.
    Now,
    /// From then on, and once these jobs have ended.
    Later { from: Estimate, after: Vec<JobId> },
    /// It depends on what nobody can foresee.
    Unknown(String),
    /// It will not begin.
    Never,
}

/// From when on a job may begin. `why`: what it waits for, in words.
pub(super) fn availability(
    context: &SchedulingContext<'_>,
    job: &Job,
    why: impl FnOnce() -> String,
) -> Availability {
    let wait = match context.judge(job) {
        Eligibility::Ready => return Availability::Now,
        Eligibility::Expired | Eligibility::Fails(_) => return Availability::Never,
        Eligibility::Waits(wait) => wait,
    };
    match &wait {
        Wait::After(..) => match context.waits_for(job) {
            Some(after) => Availability::Later {
                from: from(context, job),
                after,
            },
            None => Availability::Unknown(why()),
        },
        Wait::NotBefore(_) | Wait::Retry(_) | Wait::Window { .. } => Availability::Later {
            from: from(context, job),
            after: Vec::new(),
        },
        Wait::Held | Wait::GroupPaused(_) | Wait::Share(_) | Wait::Outage(_) => {
            Availability::Unknown(why())
        }
    }
}

/// From when on its times allow it to begin; its window is looked at when its turn comes.
fn from(context: &SchedulingContext<'_>, job: &Job) -> Estimate {
    let now = context.now();
    let until = |time: Option<Timestamp>| time.map_or(0.0, |time| time.secs_since(now));
    let opens = job
        .schedule
        .window
        .filter(|window| !context.is_open(*window, now));
    let opens = opens.map(|window| context.opens(window, now));
    let times = [job.schedule.not_before, job.runs.retry_at, opens];
    Estimate::exactly(times.map(until).into_iter().fold(0.0, f64::max))
}
