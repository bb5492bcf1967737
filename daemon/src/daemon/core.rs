//! What all other parts need: disks, clock, GPUs, and the queue.

use std::sync::{Arc, mpsc};

use anyhow::Result;
use framepack_jobs::{Job, Timestamp};
use tokio::task::JoinHandle;

use crate::{
    clock::Clock,
    disk::Disk,
    gpu::Gpus,
    lacking::DeviceLacks,
    queue::{Actor, QueueConfig, QueueHandle},
    record::Record,
    running::RunningConfig,
    setup::{self, Setup},
    start_error::StartError,
    store::Store,
    worker::Inspections,
};

/// The jobs, and what everybody else works with.
pub(super) struct Core {
    pub(super) disk: Disk,
    pub(super) clock: Clock,
    pub(super) gpus: Gpus,
    pub(super) queue: QueueHandle,
    pub(super) queue_task: JoinHandle<()>,
    pub(super) inspections: Inspections,
    /// What devices can't do, as far as their workers have told.
    pub(super) lacks: DeviceLacks,
}

impl Core {
    /// Every job that ends from now on is sent to `ended`.
    pub(super) async fn start(
        setup: &Setup,
        opened: (Store, Vec<Record>),
        ended: mpsc::Sender<Arc<Record>>,
    ) -> Result<Self> {
        let lacks = DeviceLacks::default();
        let disk = setup::disk(&setup.config, &setup.front.state);
        tokio::spawn(follow_reserve(setup.running.clone(), disk.clone()));
        let gpus = Gpus::watch().await;
        let newest = opened
            .1
            .iter()
            .filter_map(|record| newest_time(&record.job));
        let clock = Clock::open(setup.front.state.path(), newest.max());
        tokio::spawn(clock.clone().watch());
        let queue = QueueConfig {
            renderer: setup::renderer(
                &setup.running,
                setup.bundle,
                &setup.front.state,
                lacks.clone(),
            ),
            disk: disk.clone(),
            gpus: gpus.clone(),
            clock: clock.clone(),
            ended,
        };
        let queue = Actor::open(opened, queue).await.map_err(StartError::from)?;
        let (queue, queue_task) = queue.start();
        let renderer = setup::renderer(
            &setup.running,
            setup.bundle,
            &setup.front.state,
            lacks.clone(),
        );
        let inspections = Inspections::start(setup.worker.clone(), queue.clone(), renderer);
        if let Some(fault) = &setup.bundle_fault {
            queue.expect_outage(fault.clone()).await?;
        }
        Ok(Self {
            disk,
            clock,
            gpus,
            queue,
            queue_task,
            inspections,
            lacks,
        })
    }
}

/// Leaves as much of the disks free as the configuration says by then.
async fn follow_reserve(mut running: RunningConfig, disk: Disk) {
    loop {
        running.changed().await;
        disk.leave_free(running.now().config.disk.reserve_mib);
    }
}

/// The latest time that a job's record has.
fn newest_time(job: &Job) -> Option<Timestamp> {
    job.state.finished_at().max(Some(job.submitted_at))
}
