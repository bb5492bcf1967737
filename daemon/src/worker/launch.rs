//! The command line and the environment of a worker's process.

use std::path::PathBuf;

use framepack_config::Memory;
use tokio::process::Command;

/// How to start a worker.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) device: String,
    pub(crate) state_dir: PathBuf,
    pub(crate) memory: Memory,
}

impl Launch {
    /// Flags for the settings that are not `auto`.
    fn memory_flags(&self) -> impl Iterator<Item = String> {
        let flags = [
            ("--preserve-gb", self.memory.preserve),
            ("--host-budget-gb", self.memory.host_budget),
        ];
        flags
            .into_iter()
            .filter_map(|(flag, amount)| Some([flag.to_owned(), amount.gb()?.to_string()]))
            .flatten()
    }

    /// The command line of a worker, its pipes not yet made.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--device", &self.device, "--state-dir"])
            .arg(&self.state_dir)
            .args(self.memory_flags())
            // CUDA would number the GPUs from the fastest on, NVIDIA's management library does it by their place on
            // the bus: `cuda:1` has to be the same GPU for the worker and for `gpu`.
            .env("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
        command
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use framepack_jobs::MemoryAmount;

    use super::*;

    #[test]
    fn a_worker_numbers_the_gpus_as_the_management_library_does() {
        let launch = Launch {
            program: "framepack-worker".into(),
            device: "cuda:1".to_owned(),
            state_dir: "/srv/state".into(),
            memory: Memory {
                preserve: MemoryAmount::Auto,
                host_budget: MemoryAmount::Auto,
            },
        };
        let command = launch.command();
        let command = command.as_std();
        let arguments: Vec<&OsStr> = command.get_args().collect();
        let expected = ["serve", "--device", "cuda:1", "--state-dir", "/srv/state"];
        assert_eq!(arguments, expected);
        let variables: Vec<_> = command.get_envs().collect();
        let expected = (
            OsStr::new("CUDA_DEVICE_ORDER"),
            Some(OsStr::new("PCI_BUS_ID")),
        );
        assert_eq!(variables, [expected]);
    }
}
