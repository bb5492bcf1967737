//! The owner of runs: jobs that are prepared or run, and the workers that have none.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Instant,
};

use framepack_ipc::{control::WorkerStatus, pace::Pace};
use framepack_jobs::JobId;
use tokio::sync::mpsc;

use super::run::{Control, IdleWorker, WorkerReport};
use crate::gpu::Gpus;

/// Who works on what.
#[derive(Debug, Default)]
pub(in crate::queue) struct Runs {
    idle: VecDeque<IdleWorker>,
    /// Jobs whose folders are being made, and who will have them.
    preparing: BTreeMap<JobId, IdleWorker>,
    running: HashMap<JobId, RunningJob>,
    workers: BTreeMap<String, WorkerStatus>,
    gpus: Gpus,
}

/// A running job's line to its worker.
#[derive(Debug)]
struct RunningJob {
    device: String,
    control: mpsc::UnboundedSender<Control>,
    /// What it was told last.
    told: Option<Control>,
    /// What the device had taken when the run began; `None`: it does not tell.
    energy_joules: Option<f64>,
    /// When its steps came.
    pace: Pace,
}

impl Runs {
    /// Jobs yield to those who use these GPUs, too.
    pub(in crate::queue) fn on(gpus: Gpus) -> Self {
        Self {
            gpus,
            ..Self::default()
        }
    }

    /// The GPUs that they run on.
    pub(in crate::queue) fn gpus(&self) -> &Gpus {
        &self.gpus
    }

    /// A worker wants a job, after those that asked before it.
    pub(in crate::queue) fn wait(&mut self, worker: IdleWorker) {
        self.idle.push_back(worker);
    }

    /// A worker wants a job, before all others: it got none that could begin.
    pub(in crate::queue) fn wait_first(&mut self, worker: IdleWorker) {
        self.idle.push_front(worker);
    }

    /// The worker that has waited longest and is still there.
    pub(in crate::queue) fn next_idle(&mut self) -> Option<IdleWorker> {
        self.idle.retain(|idle| !idle.reply.is_closed());
        self.idle.pop_front()
    }

    /// A job's folders are being made for this worker.
    pub(in crate::queue) fn prepare(&mut self, id: JobId, worker: IdleWorker) {
        self.preparing.insert(id, worker);
    }

    /// They have been made, or can't be.
    pub(in crate::queue) fn prepared(&mut self, id: JobId) -> Option<IdleWorker> {
        self.preparing.remove(&id)
    }

    /// The jobs whose folders are being made.
    pub(in crate::queue) fn preparing(&self) -> BTreeSet<JobId> {
        self.preparing.keys().copied().collect()
    }

    /// A run begins. What users want of it from now on is received here.
    pub(in crate::queue) fn begin(
        &mut self,
        id: JobId,
        device: &str,
    ) -> mpsc::UnboundedReceiver<Control> {
        let (control, controlled) = mpsc::unbounded_channel();
        let running = RunningJob {
            device: device.to_owned(),
            control,
            told: None,
            energy_joules: self
                .gpus
                .of_device(device)
                .and_then(|gpu| gpu.energy_joules),
            pace: Pace::begin(Instant::now()),
        };
        self.running.insert(id, running);
        self.gpus.run_begins();
        controlled
    }

    /// A run has ended. Returns what its device has taken of energy since it began; of a GPU that others use, too, it
    /// is theirs as well.
    pub(in crate::queue) fn end(&mut self, id: JobId) -> Option<f64> {
        let ended = self.running.remove(&id)?;
        self.gpus.run_ends();
        let now = self.gpus.of_device(&ended.device)?.energy_joules?;
        Some((now - ended.energy_joules?).max(0.0))
    }

    /// Tells a running job's worker what is wanted of it.
    pub(in crate::queue) fn control(&mut self, id: JobId, control: Control) {
        if let Some(running) = self.running.get_mut(&id) {
            running.told = Some(control);
            // Fails when the run has just ended: its ending is on the way to us.
            let _ = running.control.send(control);
        }
    }

    /// A running job's worker says where it is.
    pub(in crate::queue) fn note_pace(&mut self, id: JobId, report: &WorkerReport) {
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let now = Instant::now();
        match report {
            WorkerReport::Progress(progress) => running.pace.note(progress, now),
            WorkerReport::Paused => running.pace.pause(now),
            WorkerReport::Resumed => running.pace.resume(now),
            _ => {}
        }
    }

    /// How fast a running job is.
    pub(in crate::queue) fn pace(&self, id: JobId) -> Option<&Pace> {
        Some(&self.running.get(&id)?.pace)
    }

    /// What a running job's worker was told last.
    pub(in crate::queue) fn was_told(&self, id: JobId) -> Option<Control> {
        self.running.get(&id)?.told
    }

    /// Bytes that other programs hold of a device's memory.
    pub(in crate::queue) fn foreign_bytes(&self, device: &str) -> Option<u64> {
        self.gpus.of_device(device)?.foreign_bytes
    }

    /// A worker says how it is.
    pub(in crate::queue) fn note_worker(&mut self, status: WorkerStatus) {
        self.workers.insert(status.device.clone(), status);
    }

    /// How the workers are, by device.
    pub(in crate::queue) fn workers(&self) -> impl Iterator<Item = &WorkerStatus> {
        self.workers.values()
    }
}
