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

/// Variables that are near one of the application's and are meant for torch.
const TORCHS_OWN: [&str; 3] = [
    "PYTORCH_ENABLE_MATH_SDP",
    "PYTORCH_ENABLE_CUDNN_SDP",
    "PYTORCH_ENABLE_MPS_FALLBACK",
];

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

/// The variable that a name which is none was probably meant to be: one with a slip, or with a word too few or too many.
pub(super) fn near(name: &str) -> Option<&'static str> {
    // Torch has variables of its own that begin with `PYTORCH_`; those that are meant here have more in common.
    let prefix = [PREFIX, "PYTORCH_ENABLE_", "PYTORCH_CUDA_"]
        .into_iter()
        .find(|prefix| name.starts_with(prefix))?;
    if TORCHS_OWN.contains(&name) {
        return None;
    }
    let bare = &name[prefix.len()..];
    let of_prefix = || {
        let names = variables().map(|variable| variable.name);
        names.filter_map(move |name| Some((name, name.strip_prefix(prefix)?)))
    };
    let near = suggest(bare, of_prefix().map(|(_, bare)| bare));
    let near = near.or_else(|| {
        // Of several, one that sets something.
        let mut sets = variables().filter(|variable| variable.meaning.sets());
        sets.find_map(|variable| {
            let known = variable.name.strip_prefix(prefix)?;
            has_words_of(bare, known).then_some(known)
        })
    })?;
    of_prefix()
        .find(|(_, bare)| *bare == near)
        .map(|(name, _)| name)
}

/// Whether a name lacks a word or two of a known one, or has one more: `VAE_CHUNK`, `FBCACHE`, `ENABLE_FAST_START`.
fn has_words_of(name: &str, known: &str) -> bool {
    let (name, known): (Vec<&str>, Vec<&str>) =
        (name.split('_').collect(), known.split('_').collect());
    match name.as_slice() {
        // A single word may be the name of anything.
        [word] => matches!(known.as_slice(), ["ENABLE" | "USE", last] if last == word),
        _ => {
            is_within(&name, &known) && known.len() <= name.len() + 2
                || is_within(&known, &name) && name.len() == known.len() + 1
        }
    }
}

/// Whether all words are among others, in their order.
fn is_within(words: &[&str], others: &[&str]) -> bool {
    let mut others = others.iter();
    words.iter().all(|word| others.any(|other| other == word))
}

/// Whether a variable is the application's, or was meant to be.
pub(super) fn is_of_the_application(name: &str) -> bool {
    variable(name).is_some() || name.starts_with(PREFIX) || near(name).is_some()
}

/// The flag with this name.
pub(super) fn flag(name: &str) -> Option<&'static Name> {
    FLAGS.iter().find(|flag| flag.name == name)
}

#[cfg(test)]
mod tests;
