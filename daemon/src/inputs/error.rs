//! Why a file can't be a job's input, and what its owner can do about it.

use std::{io, path::PathBuf};

use framepack_jobs::{Failure, FailureClass};
use thiserror::Error;

use super::MAX_INPUT_BYTES;

/// Why a file can't be an input.
#[derive(Debug, Error)]
pub(crate) enum InputError {
    #[error("{path} does not exist")]
    Missing { path: PathBuf },
    #[error("{path} is outside the folders that jobs may read ({})", list(.roots))]
    Outside { path: PathBuf, roots: Vec<PathBuf> },
    #[error("{path} is a symbolic link, or is reached through one")]
    Link { path: PathBuf },
    #[error("{path} is on a different file system from {root}, the folder that jobs may read")]
    OtherFileSystem { path: PathBuf, root: PathBuf },
    #[error("{path} is not a regular file")]
    NotRegular { path: PathBuf },
    #[error("{path} has {found} bytes; at most {MAX_INPUT_BYTES} are accepted")]
    TooLarge { path: PathBuf, found: u64 },
    #[error("reading {path}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("copying {path} into the state directory: {error}")]
    Copy { path: PathBuf, error: io::Error },
}

fn list(roots: &[PathBuf]) -> String {
    let roots: Vec<_> = roots
        .iter()
        .map(|root| root.display().to_string())
        .collect();
    roots.join(", ")
}

impl InputError {
    /// The failure of the job that named the file.
    pub(crate) fn into_failure(self, key: &str) -> Failure {
        use FailureClass::{Input, Io, Policy};
        let (class, code, hint) = match &self {
            Self::Missing { .. } => (
                Input,
                "FP2301",
                "copy the image there first, then drop the job again; paths are relative to the folder of the job file",
            ),
            Self::Outside { .. } => (
                Policy,
                "FP2201",
                "move the image beneath one of these folders, or add its folder to paths.inputs in the daemon's configuration",
            ),
            Self::Link { .. } => (
                Policy,
                "FP2202",
                "put the image itself there instead of a link to it",
            ),
            Self::NotRegular { .. } => (Policy, "FP2203", "name a regular image file"),
            Self::OtherFileSystem { .. } => (
                Policy,
                "FP2205",
                "add the folder that is mounted there to paths.inputs in the daemon's configuration",
            ),
            Self::TooLarge { .. } => (
                Input,
                "FP2302",
                "use a smaller image: the video has about 640x640 pixels",
            ),
            Self::Read { .. } => (
                Io,
                "FP5012",
                "check that the daemon's user may read the file",
            ),
            Self::Copy { .. } => (Io, "FP5011", "check the free space of paths.state"),
        };
        Failure {
            class,
            code: code.to_owned(),
            message: format!("{key}: {self}"),
            hint: Some(hint.to_owned()),
        }
    }
}
