//! Jobs to idle workers, in the order of the schedule.

use std::time::{Duration, Instant};

use framepack_jobs::{JobId, JobState, StateName, Timestamp};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{
    Assignment, IdleWorker, Queue, RunningJob,
    schedule::{LocalTime, Warm},
};
use crate::outputs::{FolderError, reservation::Reservation};

/// How often a full disk is looked at again.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(3);

impl Queue {
    /// Gives jobs to idle workers until either runs out.
    pub(super) fn assign(&mut self) {
        self.sweep();
        self.look_for_room();
        self.idle.retain(|idle| !idle.reply.is_closed());
        while self.scheduler.may_begin && !self.idle.is_empty() && self.paused().is_none() {
            self.scheduler.may_begin = false;
            for (id, idle) in self.turns() {
                self.begin(id, idle);
            }
        }
    }

    /// Looks again, from time to time, whether there is room on the disks.
    fn look_for_room(&mut self) {
        let now = Instant::now();
        if let Some((_, again)) = &self.scheduler.no_room
            && *again <= now
        {
            self.scheduler.had_no_room = true;
            self.scheduler.no_room = None;
            self.scheduler.may_begin = true;
        }
    }

    /// Whether the job fits on the disks; until it does, none begins.
    fn has_room(&mut self, id: JobId) -> bool {
        let had_none = std::mem::take(&mut self.scheduler.had_no_room);
        let running = self.index.running().iter();
        let jobs = running.chain([&id]).map(|id| &self.jobs[id].job);
        match self.renderer.room().check(jobs) {
            Ok(()) => {
                if had_none {
                    info!("there is enough disk space again");
                }
                true
            }
            Err(full) => {
                if !had_none {
                    warn!("no job starts: {full}");
                }
                self.scheduler.no_room = Some((full, Instant::now() + LOOK_FOR_ROOM));
                false
            }
        }
    }

    /// Who gets which job.
    fn turns(&mut self) -> Vec<(JobId, IdleWorker)> {
        let mut idle = std::mem::take(&mut self.idle);
        let mut lineup = self
            .context(LocalTime::now())
            .lineup(&self.scheduler.overtaken);
        let mut turns = Vec::new();
        while let Some(worker) = idle.pop_front() {
            let warm = self.scheduler.warm.get(&worker.worker.device).copied();
            let Some(turn) = lineup.next(warm) else {
                idle.push_front(worker);
                break;
            };
            turns.push((turn.job.id, worker));
        }
        self.scheduler.overtaken = lineup.into_overtaken();
        self.idle = idle;
        turns
    }

    /// Makes the job's folders and sees to it that its video gets a name of its own, beside what other daemons write.
    fn prepare(&mut self, id: JobId) -> Result<(), FolderError> {
        loop {
            let job = &self.jobs[&id].job;
            self.renderer.prepare(job)?;
            if self.renderer.reserve(job)? == Reservation::Given {
                return Ok(());
            }
            let output = self.free_output(&job.spec, &job.name, job.seed);
            info!(job = %id, was = %job.output.display(), is = %output.display(), "its output name was taken in the meantime");
            let record = self.jobs.get_mut(&id).expect("chosen from the same map");
            self.index.withdraw(&record.job.output);
            record.job.output = output;
        }
    }

    /// Marks the job as running; the worker is told once that is durable.
    fn begin(&mut self, id: JobId, idle: IdleWorker) {
        if !self.has_room(id) {
            self.idle.push_back(idle);
            return;
        }
        if let Err(error) = self.prepare(id) {
            self.fail_unprepared(id, error);
            self.idle.push_front(idle);
            self.scheduler.may_begin = true;
            return;
        }
        let record = self.jobs.get_mut(&id).expect("chosen from the same map");
        let job = &mut record.job;
        job.runs.attempts += 1;
        // Taken back when the start ends under this daemon.
        job.runs.starts_without_progress += 1;
        job.runs.retry_at = None;
        record.private.worker_version = Some(idle.worker.version.clone());
        let running = JobState::Running {
            started_at: Timestamp::now(),
            device: idle.worker.device.clone(),
            plan: None,
            progress: None,
            paused: false,
        };
        job.transition(running).expect("a queued job may run");
        let warm = Warm::after(job);
        self.scheduler.warm.insert(idle.worker.device.clone(), warm);
        let request = self.renderer.request(record);
        info!(job = %id, device = idle.worker.device, attempt = record.job.runs.attempts, "started");
        self.persist(id);
        let (control, controlled) = mpsc::unbounded_channel();
        let gpu = self.gpus.of_device(&idle.worker.device);
        let energy_joules = gpu.and_then(|gpu| gpu.energy_joules);
        self.running.insert(
            id,
            RunningJob {
                control,
                energy_joules,
            },
        );
        let assignment = Assignment {
            request,
            control: controlled,
        };
        self.when_durable(move |queue| {
            if idle.reply.send(assignment).is_err() && queue.jobs[&id].job.is(StateName::Running) {
                // The worker went away in this very moment: its job is queued again.
                queue.end(id, super::Ending::Interrupted);
            }
        });
    }
}
