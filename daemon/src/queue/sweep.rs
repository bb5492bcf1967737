//! Jobs that end without having begun: their deadline has passed, or a job that they run after has no video.

use framepack_jobs::{Code, Failure, Job, JobId, JobState, StateName, Timestamp};

use super::{
    Queue,
    schedule::{Eligibility, LocalTime, SchedulingContext, circular, next_change},
};

impl Queue {
    /// Ends the waiting jobs that can't begin any more, and notes when to look again.
    pub(super) fn sweep(&mut self) {
        let time = LocalTime::now();
        if !self.scheduler.is_due(time.now) {
            return;
        }
        let (doomed, due) = self.doomed(time);
        self.scheduler.may_begin = true;
        self.scheduler.due = due;
        for (id, state) in doomed {
            self.finish(id, state);
        }
        // Whoever waited for one of those was among them.
        self.scheduler.may_end = false;
    }

    /// The jobs that end, and when another verdict may change by itself.
    fn doomed(&self, time: LocalTime) -> (Vec<(JobId, JobState)>, Option<Timestamp>) {
        let mut context = self.context(time);
        let failed = |failure| JobState::Failed {
            finished_at: time.now,
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
                    .chain(next_change(job, &eligibility, time.now))
                    .min();
                let state = match eligibility {
                    Eligibility::Ready | Eligibility::Waits(_) => continue,
                    Eligibility::Expired => JobState::Expired {
                        finished_at: time.now,
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

    pub(super) fn context(&self, time: LocalTime) -> SchedulingContext<'_> {
        let groups = &self.scheduler.pauses.groups;
        SchedulingContext::new(&self.jobs, self.index.queued(), groups, time)
    }
}

fn expired(job: &Job) -> Failure {
    let deadline = job.schedule.deadline.map(|deadline| deadline.to_string());
    let deadline = deadline.unwrap_or_default();
    let message = format!("its deadline, {deadline}, passed before it started");
    Failure::new(Code::DEADLINE_PASSED, message)
}
