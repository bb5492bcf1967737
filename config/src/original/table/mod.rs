//! Every name of the Python application, as its code and its document have them.
//!
//! Defaults are those of the version that the document describes; where a later version has another one, both are told.

mod caches;
mod compute;
mod flags;
mod interface;
mod loading;
mod memory;
mod storage;
mod tensorrt;

use framepack_yaml::suggest;

use super::name::Name;

pub use flags::FLAGS;
pub use interface::{FUNCTIONS, PARAMETERS, Parameter, START_LINES, StartLine};

/// What variables of the Python application begin with, most of them.
pub(super) const PREFIX: &str = "FRAMEPACK_";
/// A cache of each encoder had a size of its own: `FRAMEPACK_MODULE_CACHE_SIZE_CLIP`.
const NAMED_SIZE: &str = "FRAMEPACK_MODULE_CACHE_SIZE_";

/// Every variable of the environment.
pub fn variables() -> impl Iterator<Item = &'static Name> {
    [
        &loading::VARIABLES[..],
        &storage::VARIABLES,
        &memory::VARIABLES,
        &caches::VARIABLES,
        &compute::VARIABLES,
        &tensorrt::VARIABLES,
    ]
    .into_iter()
    .flatten()
}

/// The variable with this name.
pub(super) fn variable(name: &str) -> Option<&'static Name> {
    let is_size = name.len() > NAMED_SIZE.len() && name.starts_with(NAMED_SIZE);
    let name = if is_size { caches::NAMED_SIZE } else { name };
    variables().find(|variable| variable.name == name)
}

/// The variable that a name which is none was probably meant to be.
pub(super) fn near(name: &str) -> Option<&'static str> {
    // Torch has variables of its own that begin with `PYTORCH_`; those that are meant here have more in common.
    let prefix = [PREFIX, "PYTORCH_ENABLE_", "PYTORCH_CUDA_"]
        .into_iter()
        .find(|prefix| name.starts_with(prefix))?;
    let of_prefix = variables().filter_map(|variable| variable.name.strip_prefix(prefix));
    let near = suggest(&name[prefix.len()..], of_prefix)?;
    let is_near = |variable: &&Name| variable.name.strip_prefix(prefix) == Some(near);
    variables().find(is_near).map(|variable| variable.name)
}

/// Whether a variable is the application's, or was meant to be.
pub(super) fn is_of_the_application(name: &str) -> bool {
    variable(name).is_some() || name.starts_with(PREFIX) || near(name).is_some()
}

/// The flag with this name.
pub(super) fn flag(name: &str) -> Option<&'static Name> {
    FLAGS.iter().find(|flag| flag.name == name)
}
