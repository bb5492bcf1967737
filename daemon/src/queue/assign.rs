//! Jobs to idle workers: the lowest number first.

use framepack_ipc::worker::RungTaken;
use framepack_jobs::{JobId, JobState, StateName, Timestamp};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::{Assignment, Idle, Queue, Report, Running};

impl Queue {
    /// Gives jobs to idle workers until either runs out.
    pub(super) async fn assign(&mut self) {
        loop {
            self.idle.retain(|idle| !idle.reply.is_closed());
            let Some(job) = self.next_queued() else {
                return;
            };
            let Some(idle) = self.idle.pop_front() else {
                return;
            };
            if !self.begin(job, idle).await {
                return;
            }
        }
    }

    fn next_queued(&self) -> Option<JobId> {
        self.jobs
            .values()
            .find(|record| record.job.is(StateName::Queued))
            .map(|record| record.job.id)
    }

    /// Marks the job as running, then tells the worker. `false`: the store failed and nothing was begun.
    async fn begin(&mut self, id: JobId, idle: Idle) -> bool {
        let record = self.jobs.get_mut(&id).expect("chosen from the same map");
        let before = record.clone();
        record.job.attempts += 1;
        record.private.worker_version = Some(idle.worker.version.clone());
        let running = JobState::Running {
            started_at: Timestamp::now(),
            device: idle.worker.device.clone(),
            plan: None,
            progress: None,
        };
        record
            .job
            .transition(running)
            .expect("a queued job may run");
        let request = self.renderer.request(record);
        let prepared = self.renderer.prepare(&record.job);
        if let Err(error) = prepared {
            self.jobs.insert(id, before);
            self.fail_unprepared(id, &error).await;
            self.idle.push_front(idle);
            return true;
        }
        if let Err(error) = self.persist(id).await {
            error!(job = %id, %error, "the job can't be begun");
            self.jobs.insert(id, before);
            self.idle.push_front(idle);
            return false;
        }
        let (control, controlled) = mpsc::unbounded_channel();
        self.running.insert(id, Running { control });
        info!(job = %id, device = idle.worker.device, attempt = self.jobs[&id].job.attempts, "begins");
        let assignment = Assignment {
            request,
            control: controlled,
        };
        if idle.reply.send(assignment).is_err() {
            // The worker went away in this very moment: its job is queued again.
            self.end(id, super::Ending::Interrupted).await;
        }
        true
    }

    /// Notes what the worker says. Only the end of a section is worth a write; the rest is for the watchers.
    pub(super) fn report(&mut self, id: JobId, report: Report) {
        let Some(record) = self.jobs.get_mut(&id) else {
            return;
        };
        let JobState::Running { plan, progress, .. } = &mut record.job.state else {
            return;
        };
        let section_ended = match report {
            Report::Started(started) => {
                *plan = Some(started);
                true
            }
            Report::Progress(now) => {
                let before = progress.replace(now);
                before.is_none_or(|before| before.section != now.section)
            }
            Report::Checkpoint(sections_done) => {
                info!(job = %id, sections_done, "checkpoint");
                false
            }
            Report::Rung(RungTaken { rung, name, reason }) => {
                warn!(job = %id, rung, name, "short of memory: {reason}");
                false
            }
            Report::Paused | Report::Resumed => false,
        };
        if section_ended && let Err(error) = self.store.put(record) {
            // Not synced either: losing it costs nothing but the display after a crash.
            error!(job = %id, %error, "storing progress");
        }
        self.announce(id);
    }
}
