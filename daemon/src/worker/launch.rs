//! The command line and the environment of a worker's process.

use std::path::PathBuf;

use framepack_config::{Kernels, Models, Process};
use tokio::process::Command;

/// Options of torch's allocator of device memory.
const ALLOCATOR: &str = "PYTORCH_CUDA_ALLOC_CONF";
const ALLOCATOR_TOO: &str = "PYTORCH_ALLOC_CONF";

/// How to start a worker.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) device: String,
    pub(crate) state_dir: PathBuf,
    /// What it prepares before it is ready, unless it starts fast.
    pub(crate) models: Models,
    pub(crate) settings: Process,
}

impl Launch {
    /// Flags for the settings that are not the worker's defaults.
    fn flags(&self) -> Vec<String> {
        let settings = &self.settings;
        let mut flags = Vec::new();
        let mut add = |flag: &str, value: String| flags.extend([flag.to_owned(), value]);
        if let Some(gb) = settings.host_budget.gb() {
            add("--host-budget-gb", gb.to_string());
        }
        if settings.attention != "auto" {
            add("--attention", settings.attention.clone());
        }
        for (flag, is_on) in [
            ("--kernels", settings.kernels == Kernels::On),
            ("--flash-sdp", settings.flash_sdp),
            ("--mem-efficient-sdp", settings.mem_efficient_sdp),
        ] {
            if !is_on {
                add(flag, "off".to_owned());
            }
        }
        flags
    }

    /// The bundles that a worker prepares.
    fn bundles(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let models = (!self.settings.fast_start).then_some(&self.models);
        let bundle = models.map(|models| ("--bundle", &models.bundle));
        let f1_bundle = models.and_then(|models| Some(("--f1-bundle", models.f1_bundle.as_ref()?)));
        bundle.into_iter().chain(f1_bundle)
    }

    /// The command line of a worker, its pipes not yet made.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--device", &self.device, "--state-dir"])
            .arg(&self.state_dir)
            .args(self.flags())
            // CUDA would number the GPUs from the fastest on, NVIDIA's management library does it by their place on
            // the bus: `cuda:1` has to be the same GPU for the worker and for `gpu`.
            .env("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
            // A section's decode is thousands of kernels: the host gives them all to the device and samples on, where
            // CUDA's usual queue of 1024 would hold it up until most are done.
            .env("CUDA_SCALE_LAUNCH_QUEUES", "4x");
        for (flag, bundle) in self.bundles() {
            command.arg(flag).arg(bundle);
        }
        if !self.settings.cuda_alloc_conf.is_empty() {
            command.env(ALLOCATOR, &self.settings.cuda_alloc_conf);
            // Its newer name would count before it.
            command.env_remove(ALLOCATOR_TOO);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn launch(settings: Process) -> Launch {
        Launch {
            program: "framepack-worker".into(),
            device: "cuda:1".to_owned(),
            state_dir: "/srv/state".into(),
            models: Models {
                is_hub_cache: false,
                bundle: "/srv/models".into(),
                f1_bundle: None,
            },
            settings,
        }
    }

    /// The arguments behind those that each worker has.
    fn arguments(launch: &Launch) -> String {
        let command = launch.command();
        let arguments = command.as_std().get_args().skip(5);
        let arguments: Vec<_> = arguments.map(OsStr::to_string_lossy).collect();
        arguments.join(" ")
    }

    #[test]
    fn a_worker_finds_cuda_as_the_daemon_wants_it() {
        let command = launch(Process::default()).command();
        let command = command.as_std();
        let arguments: Vec<&OsStr> = command.get_args().take(5).collect();
        let expected = ["serve", "--device", "cuda:1", "--state-dir", "/srv/state"];
        assert_eq!(arguments, expected);
        let variables: Vec<_> = command.get_envs().collect();
        let expected = [
            ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            ("CUDA_SCALE_LAUNCH_QUEUES", "4x"),
        ];
        let expected = expected.map(|(name, value)| (OsStr::new(name), Some(OsStr::new(value))));
        assert_eq!(variables, expected);
    }

    #[test]
    fn what_the_farm_sets_for_the_process_is_on_its_command_line() {
        assert_eq!(
            arguments(&launch(Process::default())),
            "--bundle /srv/models"
        );
        let settings = Process {
            fast_start: true,
            kernels: Kernels::Off,
            flash_sdp: false,
            cuda_alloc_conf: "max_split_size_mb:128".to_owned(),
            ..Process::default()
        };
        let launch = launch(settings);
        assert_eq!(arguments(&launch), "--kernels off --flash-sdp off");
        let command = launch.command();
        let mut variables = command.as_std().get_envs();
        let told = variables.find(|(name, _)| *name == OsStr::new(ALLOCATOR));
        assert_eq!(told.unwrap().1, Some(OsStr::new("max_split_size_mb:128")));
    }
}
