//! Checks of what rendering needs from the machine: folders, space, programs, limits.

mod devices;
mod folders;
mod models;
mod programs;
mod trial;

use std::path::{Path, PathBuf};

use framepack_config::Config;
use framepack_ipc::check::{Check, CheckState};

use crate::disk::Disk;

use self::{
    devices::nvidia,
    folders::{jobs, outputs, readable, socket, space_for_state, space_for_videos, state},
    models::bundle,
    programs::{called_programs, worker},
};

/// What to check: the daemon's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Doctor {
    pub(crate) config: Config,
    pub(crate) worker: PathBuf,
}

impl Doctor {
    /// Tries everything, each where it lies and within the time limit of that share.
    pub(crate) async fn check(&self, disk: &Disk) -> Vec<Check> {
        let paths = &self.config.paths;
        let watched: Try = if self.config.spool.readonly {
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
            ("models.bundle", &self.config.models.bundle, bundle),
            ("worker.program", &self.worker, worker),
        ]);
        // At once: several may hang.
        let tries = tries.into_iter().map(|(key, path, check)| {
            let (disk, path) = (disk.clone(), path.to_owned());
            let tried = path.clone();
            tokio::spawn(async move {
                let checked = disk.at(&path, move || check(key, &tried)).await;
                checked.unwrap_or_else(|silent| {
                    let fix = "check the server and network of that mount";
                    Check::failed(key, silent.to_string(), fix)
                })
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
        checks.extend(nvidia());
        checks.push(socket(&paths.socket));
        checks
    }
}

/// A check of a path, under its name.
type Try = fn(&str, &Path) -> Check;
