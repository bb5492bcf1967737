//! Checks of what rendering needs from the machine: folders, space, programs, limits.

mod devices;
mod folders;
mod inactive;
mod models;
mod optional;
mod programs;
mod trial;

use std::path::{Path, PathBuf};

use framepack_ipc::check::{Check, CheckState};

use crate::{
    disk::Disk,
    nvidia::Nvidia,
    running::RunningConfig,
    worker::{Circumstances, KnownGpus},
};

use self::{
    devices::nvidia,
    folders::{jobs, outputs, readable, socket, space_for_state, space_for_videos, state},
    inactive::inactive,
    models::bundle,
    optional::optional,
    programs::{called_programs, worker},
};

/// What to check: the daemon's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Doctor {
    pub(crate) running: RunningConfig,
    pub(crate) worker: PathBuf,
    /// GPUs that jobs were rendered on.
    pub(crate) known: KnownGpus,
    /// Memory of this machine.
    pub(crate) host_bytes: u64,
}

impl Doctor {
    /// Tries everything, each where it lies and within the time limit of that share.
    pub(crate) async fn check(&self, disk: &Disk) -> Vec<Check> {
        let running = self.running.now();
        let config = &running.config;
        let paths = &config.paths;
        let watched: Try = if config.spool.readonly {
            readable
        } else {
            jobs
        };
        let mut tries: Vec<(&'static str, &Path, Try)> = vec![
            ("paths.jobs", &paths.jobs, watched),
            ("paths.state", &paths.state, state),
            ("paths.outputs", &paths.outputs, outputs),
        ];
        let inputs = paths.inputs.iter();
        tries.extend(inputs.map(|path| ("paths.inputs", path.as_path(), readable as Try)));
        tries.extend([
            (
                "space for videos",
                paths.outputs.as_path(),
                space_for_videos as Try,
            ),
            ("space for the state", &paths.state, space_for_state),
            ("worker.program", &self.worker, worker),
        ]);
        // At once: several may hang.
        let tries = tries.into_iter().map(|(key, path, check)| {
            let (disk, path) = (disk.clone(), path.to_owned());
            let tried = path.clone();
            tokio::spawn(async move {
                let checked = disk.at(&path, move || check(key, &tried)).await;
                checked.unwrap_or_else(|silent| Check::failed(key, silent.to_string(), SILENT_FIX))
            })
        });
        let tries: Vec<_> = tries.collect();
        let mut checks = Vec::new();
        for tried in tries {
            checks.push(
                tried
                    .await
                    .expect("a check does not panic, and nobody aborts it"),
            );
        }
        let may_run =
            |check: &Check| check.name == "worker.program" && check.state == CheckState::Ok;
        if checks.iter().any(may_run) {
            checks.extend(called_programs(&self.worker, &paths.outputs).await);
        }
        let (models, transformer_bytes) = self.models(disk).await;
        checks.push(models);
        let nvidia_now = Nvidia::look();
        let circumstances = Circumstances {
            nvidia: &nvidia_now,
            known: self.known.numbers(),
            transformer_bytes,
            host_bytes: self.host_bytes,
        };
        checks.extend(nvidia(&config.worker.devices, &circumstances));
        checks.push(socket(&paths.socket));
        checks.extend(optional(&nvidia_now));
        checks.extend(inactive(&config.farm));
        checks
    }
}

impl Doctor {
    /// Looks at the model bundle as jobs do. Also returns what its transformer's weights take in their files.
    async fn models(&self, disk: &Disk) -> (Check, u64) {
        const KEY: &str = "models.bundle";
        let models = self.running.now().config.models.clone();
        let folder = models.bundle.clone();
        let configured = models.clone();
        let look = move || framepack_bundle::look(&models.bundle, models.f1_bundle.as_deref());
        match disk.at(&folder, look).await {
            Ok(look) => (bundle(KEY, &configured, &look), look.transformer_bytes),
            Err(silent) => (Check::failed(KEY, silent.to_string(), SILENT_FIX), 0),
        }
    }
}

/// What to do about a share that does not answer.
const SILENT_FIX: &str = "check the server and network of that mount";

/// A check of a path, under its name.
type Try = fn(&str, &Path) -> Check;
