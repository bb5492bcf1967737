//! The devices' supervisors.

use anyhow::Result;
use framepack_ipc::control::WorkerState;
use tokio::task::JoinSet;

use super::core::Core;
use crate::{
    farm::host_memory,
    nvidia::Nvidia,
    setup::Setup,
    shutdown::Shutdown,
    worker::{self, Announced, Circumstances, KnownGpus, SupervisorContext, Ways},
};

/// The supervisors of all devices, and the ways to their workers.
pub(super) struct Workers {
    pub(super) tasks: JoinSet<()>,
    pub(super) ways: Ways,
    pub(super) known: KnownGpus,
    pub(super) announced: Announced,
}

impl Workers {
    pub(super) async fn start(setup: &Setup, core: &Core, shutdown: &Shutdown) -> Result<Self> {
        let known = KnownGpus::open(setup.front.state.path(), &setup.config.worker.devices);
        let nvidia = Nvidia::look();
        let circumstances = Circumstances {
            nvidia: &nvidia,
            known: known.numbers(),
            transformer_bytes: setup.transformer_bytes,
            host_bytes: host_bytes(),
        };
        let devices = &setup.config.worker.devices;
        let announced = Announced::default();
        let context = SupervisorContext {
            running: &setup.running,
            program: &setup.worker,
            state_dir: setup.front.state.path(),
            queue: &core.queue,
            disk: &core.disk,
            lacks: &core.lacks,
            announced: &announced,
            shutdown,
            insists: circumstances.insists(devices),
        };
        let devices = worker::wanted(devices, &circumstances);
        let (supervisors, ways) = worker::supervisors(&context, &devices, &known);
        let mut tasks = JoinSet::new();
        for mut supervisor in supervisors {
            // Before the first client can ask for the workers.
            supervisor.tell(WorkerState::Starting).await?;
            tasks.spawn(supervisor.run());
        }
        Ok(Self {
            tasks,
            ways,
            known,
            announced,
        })
    }
}

/// Memory of this machine; 0 if the system does not tell.
pub(super) fn host_bytes() -> u64 {
    host_memory().map_or(0, |memory| memory.total_bytes)
}
