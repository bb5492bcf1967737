//! `framepackd state …`: the store of jobs while no daemon runs. `framepackctl state …` asks a daemon that does.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::mpsc,
};

use clap::Subcommand;
use framepack_config::Config;
use framepack_ipc::{
    ErrorBody, Exit,
    export::{Export, Import},
    state::Imported,
};
use framepack_jobs::BundleDefaults;
use nix::unistd::geteuid;

use crate::{
    clock::Clock,
    folders::{made, unusable},
    gpu::Gpus,
    lacking::DeviceLacks,
    queue::{Actor, QueueConfig},
    running::RunningConfig,
    setup,
    start_error::StartError,
    state_dir::StateDir,
    store::{Location, Opening, Store, acknowledge, inspect},
};

/// What is done with the store.
#[derive(Debug, Clone, Subcommand)]
pub enum StateAction {
    /// Compare the store with its journal, and repair nothing
    Check,
    /// Make store and journal agree; what can't be read is moved aside
    Repair,
    /// Acknowledge repairs, so that `framepackctl ping` stops reporting them
    Acknowledge,
    /// Export all jobs to a file, one per line
    Export {
        /// The file; an existing one is replaced
        file: PathBuf,
    },
    /// Import jobs from an exported file; existing ones are skipped
    Import {
        /// The file
        file: PathBuf,
    },
}

/// Does it, with the state directory's lock. Returns what there is to say, and how the command ends.
pub async fn state(
    config: &Config,
    action: &StateAction,
) -> Result<(Vec<String>, Exit), ErrorBody> {
    let is_import = matches!(action, StateAction::Import { .. });
    let state = locked(&config.paths.state, is_import)?;
    let location = state.store(config);
    match action {
        StateAction::Check => report(&location),
        StateAction::Repair => {
            Store::open(&location, Opening::Forced)?;
            report(&location)
        }
        StateAction::Acknowledge => {
            acknowledge(&location)?;
            report(&location)
        }
        StateAction::Export { file } => export(&location, file),
        StateAction::Import { file } => import(config, &state, &location, file).await,
    }
}

/// The state directory, which nobody else uses. Only an import makes one.
fn locked(path: &Path, is_import: bool) -> Result<StateDir, StartError> {
    if !is_import && !path.join("daemon-id").exists() {
        return Err(StartError::StateMissing {
            path: path.to_owned(),
        });
    }
    // As the daemon names it: records have paths in it.
    let path = made(path)?;
    let metadata = path
        .metadata()
        .map_err(|error| unusable("reading", &path, error))?;
    let (owner, user) = (metadata.uid(), geteuid().as_raw());
    if owner != user {
        return Err(StartError::StateForeign { path, owner, user });
    }
    StateDir::open(&path)
}

fn report(location: &Location) -> Result<(Vec<String>, Exit), ErrorBody> {
    let report = inspect(location)?.report;
    Ok((report.lines(), report.exit()))
}

fn export(location: &Location, path: &Path) -> Result<(Vec<String>, Exit), ErrorBody> {
    let seen = inspect(location)?;
    let mut file = Export::create(path)?;
    for record in &seen.records {
        let record = serde_json::to_value(record).expect("a record is plain data");
        file.write(&record)?;
    }
    let mut lines = vec![file.finish()?];
    let problems = seen.report.problems.iter();
    lines.extend(problems.map(|problem| format!("problem    {problem}")));
    Ok((lines, seen.report.exit()))
}

async fn import(
    config: &Config,
    state: &StateDir,
    location: &Location,
    path: &Path,
) -> Result<(Vec<String>, Exit), ErrorBody> {
    let mut file = Import::open(path)?;
    let opened = Store::open(location, Opening::Careful)?;
    // Nobody is told about jobs that end here: the next daemon files them.
    let (ended, _) = mpsc::channel();
    let queue = QueueConfig {
        renderer: setup::renderer(
            &RunningConfig::fixed(config),
            BundleDefaults::default(),
            state,
            DeviceLacks::default(),
        ),
        disk: setup::disk(config, state),
        gpus: Gpus::default(),
        clock: Clock::open(state.path(), None),
        ended,
    };
    let mut queue = Actor::of_store(opened, queue)?;
    let mut all = Vec::new();
    loop {
        let records = file.batch()?;
        if records.is_empty() {
            return Ok(Imported::summary(&all));
        }
        all.extend(queue.import_all(records).await?);
    }
}
