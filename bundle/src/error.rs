//! What can be wrong with a bundle before a weight is read.

use std::path::PathBuf;

use framepack_jobs::{Code, FileError};
use thiserror::Error;

use crate::stand_in::StandIn;

/// A bundle that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It lacks something.
    #[error("bundle {}: {reason}", path.display())]
    Incomplete {
        /// The bundle.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// Something else lies in the place of a file.
    #[error(transparent)]
    StandIn(#[from] StandIn),
    /// Its `framepack.json` can't be used.
    #[error(transparent)]
    Defaults(#[from] FileError),
}

impl BundleError {
    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::Incomplete { .. } => Code::MODEL_INCOMPLETE,
            Self::StandIn(stand_in) => stand_in.code(),
            Self::Defaults(_) => Code::MODEL_DEFAULTS,
        }
    }
}
