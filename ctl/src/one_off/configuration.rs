//! The configuration of a daemon for one job.

use std::{
    env,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;

use crate::path_text::yaml;

/// A section.
const MODELS: &str = "models:";

/// The models of a daemon for one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelChoice {
    /// What the environment says, or else the Hub's cache.
    Environment,
    /// The Hub's cache.
    Cache,
    /// A folder's.
    Folder(PathBuf),
}

/// The file. Relative paths are relative to it. Pictures may lie anywhere on the system's disk, and on those of the user's
/// home and of `inputs`: no root leads to another file system.
pub(super) fn configuration(models: &ModelChoice, inputs: &Path) -> Result<String, ErrorBody> {
    let models = match models {
        ModelChoice::Environment => String::new(),
        ModelChoice::Cache => format!("{MODELS} {{}}\n"),
        ModelChoice::Folder(folder) => format!("{MODELS}\n  bundle: {}\n", yaml(folder)?),
    };
    let mut roots = vec![PathBuf::from("/")];
    let home = env::var_os("HOME").map(PathBuf::from);
    for folder in home.into_iter().chain([inputs.to_owned()]) {
        if let Ok(folder) = folder.canonicalize()
            && folder.is_dir()
            && !roots.contains(&folder)
        {
            roots.push(folder);
        }
    }
    let roots: Result<Vec<String>, ErrorBody> = roots.iter().map(|root| yaml(root)).collect();
    Ok(format!(
        "# Of `framepackctl run`, for one job.\n\
         paths:\n  jobs: jobs\n  state: state\n  outputs: videos\n  socket: socket\n  inputs: [{}]\n{models}",
        roots?.join(", ")
    ))
}

/// Whether such a file says where the models are.
pub(super) fn names_models(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(MODELS))
}
