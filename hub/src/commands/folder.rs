//! The folder that a command is about.

use std::path::Path;

use crate::{environment::Environment, failure::Failure, target::Target};

/// The folder that a user names, or the Hub's cache.
pub(super) fn target(folder: Option<&Path>, environment: &Environment) -> Result<Target, Failure> {
    let named = folder.unwrap_or(&environment.cache);
    Target::of(folder.map(Path::to_owned), environment)
        .map_err(|error| Failure::folder(named, &error))
}
