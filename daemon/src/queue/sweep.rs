//! Jobs that end without having begun: their deadline has passed, or a job that they run after has no video.

use framepack_jobs::{Code, Failure, Job, JobId, JobState, StateName, Timestamp};

use super::{
    Queue,
    schedule::{Moment, Scene, Verdict, circular, next_change},
};

impl Queue {
    /// Ends the waiting jobs that can't begin any more, and notes when to look again.
    pub(super) fn sweep(&mut self) {
        let moment = Moment::now();
        if !self.agenda.is_due(moment.now) {
            return;
        }
        let (doomed, due) = self.doomed(moment);
        self.agenda.may_begin = true;
        self.agenda.due = due;
        for (id, state) in doomed {
            self.finish(id, state);
        }
        // Whoever waited for one of those was among them.
        self.agenda.may_end = false;
    }

    /// The jobs that end, and when another verdict may change by itself.
    fn doomed(&self, moment: Moment) -> (Vec<(JobId, JobState)>, Option<Timestamp>) {
        let mut scene = self.scene(moment);
        let failed = |failure| JobState::Failed {
            finished_at: moment.now,
            failure,
        };
        let mut doomed = Vec::new();
        for id in scene.waiting_for_themselves() {
            scene.doom(id, StateName::Failed);
            doomed.push((id, failed(circular())));
        }
        // Again when one has ended: a job of a lower number may wait for it.
        loop {
            let mut due = None;
            let before = doomed.len();
            for job in scene.queued() {
                if scene.is_doomed(job.id) {
                    continue;
                }
                let verdict = scene.judge(job);
                due = due
                    .into_iter()
                    .chain(next_change(job, &verdict, moment.now))
                    .min();
                let state = match verdict {
                    Verdict::Ready | Verdict::Waits(_) => continue,
                    Verdict::Expired => JobState::Expired {
                        finished_at: moment.now,
                        failure: expired(job),
                    },
                    Verdict::Fails(failure) => failed(failure),
                };
                scene.doom(job.id, state.name());
                doomed.push((job.id, state));
            }
            if doomed.len() == before {
                return (doomed, due);
            }
        }
    }

    pub(super) fn scene(&self, moment: Moment) -> Scene<'_> {
        let groups = &self.agenda.pauses.groups;
        Scene::new(&self.jobs, self.index.queued(), groups, moment)
    }
}

fn expired(job: &Job) -> Failure {
    let deadline = job.schedule.deadline.map(|deadline| deadline.to_string());
    let deadline = deadline.unwrap_or_default();
    let message = format!("its deadline, {deadline}, passed before it began");
    Failure::new(Code::DEADLINE_PASSED, message)
}
