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
    worker::{self, Circumstances, KnownGpus, Planners, SupervisorContext, Switches},
};

/// The supervisors of all devices, and the ways to their workers.
pub(super) struct Workers {
    pub(super) tasks: JoinSet<()>,
    pub(super) planners: Planners,
    pub(super) switches: Switches,
    pub(super) known: KnownGpus,
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
        let context = SupervisorContext {
            config: &setup.config,
            program: &setup.worker,
            state_dir: setup.front.state.path(),
            queue: &core.queue,
            disk: &core.disk,
            lacks: &core.lacks,
            shutdown,
            insists: circumstances.insists(devices),
        };
        let devices = worker::wanted(devices, &circumstances);
        let (supervisors, planners, switches) = worker::supervisors(&context, devices, &known);
        let mut tasks = JoinSet::new();
        for mut supervisor in supervisors {
            // Before the first client can ask for the workers.
            supervisor.tell(WorkerState::Starting).await?;
            tasks.spawn(supervisor.run());
        }
        Ok(Self {
            tasks,
            planners,
            switches,
            known,
        })
    }
}

/// Memory of this machine; 0 if the system does not tell.
pub(super) fn host_bytes() -> u64 {
    host_memory().map_or(0, |memory| memory.total_bytes)
}
