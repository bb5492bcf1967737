//! Jobs that end without having begun: their deadline has passed, or a job that they run after has no video.

use framepack_jobs::{Failure, JobId, JobState, StateName, Timestamp};

use super::{
    Queue,
    schedule::{Moment, Scene, Verdict, circular, next_change},
};

/// How a job ends that never begins.
#[derive(Debug)]
enum Doom {
    Expired,
    Failed(Failure),
}

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
        for (id, doom) in doomed {
            let finished_at = moment.now;
            self.finish(
                id,
                match doom {
                    Doom::Expired => JobState::Expired { finished_at },
                    Doom::Failed(failure) => JobState::Failed {
                        finished_at,
                        failure,
                    },
                },
            );
        }
        // Whoever waited for one of those was among them.
        self.agenda.may_end = false;
    }

    /// The jobs that end, and when another verdict may change by itself.
    fn doomed(&self, moment: Moment) -> (Vec<(JobId, Doom)>, Option<Timestamp>) {
        let mut scene = self.scene(moment);
        let mut doomed = Vec::new();
        for id in scene.waiting_for_themselves() {
            doomed.push((id, Doom::Failed(circular())));
            scene.doom(id, StateName::Failed);
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
                let (doom, state) = match verdict {
                    Verdict::Ready | Verdict::Waits(_) => continue,
                    Verdict::Expired => (Doom::Expired, StateName::Expired),
                    Verdict::Fails(failure) => (Doom::Failed(failure), StateName::Failed),
                };
                scene.doom(job.id, state);
                doomed.push((job.id, doom));
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
