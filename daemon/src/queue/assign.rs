//! Jobs to idle workers: the lowest number first.

use framepack_ipc::worker::RungTaken;
use framepack_jobs::{JobId, JobState, Timestamp};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{Assignment, Idle, Queue, Report, Running};

impl Queue {
    /// Gives jobs to idle workers until either runs out.
    pub(super) fn assign(&mut self) {
        while self.trouble.is_none() {
            self.idle.retain(|idle| !idle.reply.is_closed());
            let Some(job) = self.next_queued() else {
                return;
            };
            let Some(idle) = self.idle.pop_front() else {
                return;
            };
            self.begin(job, idle);
        }
    }

    fn next_queued(&self) -> Option<JobId> {
        self.index.queued().first().copied()
    }

    /// Marks the job as running; the worker is told once that is durable.
    fn begin(&mut self, id: JobId, idle: Idle) {
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
            self.fail_unprepared(id, error);
            self.idle.push_front(idle);
            return;
        }
        self.persist(id);
        let (control, controlled) = mpsc::unbounded_channel();
        self.running.insert(id, Running { control });
        info!(job = %id, device = idle.worker.device, attempt = self.jobs[&id].job.attempts, "begins");
        let assignment = Assignment {
            request,
            control: controlled,
        };
        self.when_durable(move |queue| {
            if idle.reply.send(assignment).is_err() {
                // The worker went away in this very moment: its job is queued again.
                queue.end(id, super::Ending::Interrupted);
            }
        });
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
        if section_ended {
            self.put(id);
        }
        self.announce(id);
    }
}
