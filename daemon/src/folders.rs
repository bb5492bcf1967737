//! The folders of the configuration, made and resolved, and the worker's program.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_config::Config;

use crate::start_error::StartError;

/// Creates missing folders and resolves all of them, so that every path handed on is absolute and free of links.
/// `about_to` is told each folder before.
pub(crate) fn prepared(mut config: Config, about_to: impl Fn(&Path)) -> Result<Config, StartError> {
    let paths = &mut config.paths;
    if let Some(folder) = paths.socket.parent() {
        made(folder)?;
    }
    for folder in [&mut paths.jobs, &mut paths.state, &mut paths.outputs] {
        about_to(folder);
        *folder = made(folder)?;
    }
    // Links may lead into each other what the configuration has apart.
    if let Some(overlap) = paths.overlap() {
        return Err(StartError::Overlap(overlap));
    }
    // Both spellings: people also name images by the path that they configured.
    let resolved: Result<Vec<PathBuf>, _> = paths
        .inputs
        .iter()
        .inspect(|root| about_to(root))
        .map(|root| made(root))
        .collect();
    paths.inputs.extend(resolved?);
    paths.inputs.sort();
    paths.inputs.dedup();
    Ok(config)
}

/// The folder without links, made if there is none.
pub(crate) fn made(folder: &Path) -> Result<PathBuf, StartError> {
    fs::create_dir_all(folder).map_err(|error| unusable("creating", folder, error))?;
    let resolved = folder
        .canonicalize()
        .map_err(|error| unusable("resolving", folder, error))?;
    if resolved.to_str().is_none() {
        return Err(StartError::NotUtf8 { path: resolved });
    }
    Ok(resolved)
}

/// The worker binary: as configured, or the sibling of this one. A configured one that is not there is a mistake where
/// its folder is; where that is missing, too, or the sibling, the installation is not complete yet and is waited for.
pub(crate) fn worker_program(config: &Config) -> Result<PathBuf, StartError> {
    let program = match &config.worker.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()
            .map_err(|error| StartError::System {
                doing: "finding this executable",
                error,
            })?
            .with_file_name("framepack-worker"),
    };
    let folder = config
        .worker
        .program
        .as_ref()
        .and_then(|program| program.parent());
    if !program.is_file() && folder.is_some_and(Path::is_dir) {
        return Err(StartError::NoWorker { program });
    }
    Ok(program)
}

/// That something can't be done with a folder, or a file in it.
pub(crate) fn unusable(doing: &'static str, path: &Path, error: std::io::Error) -> StartError {
    StartError::Folder {
        doing,
        path: path.to_owned(),
        error,
    }
}
