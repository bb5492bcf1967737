//! `models`: model bundles.

use std::path::PathBuf;

use crate::reader::Reader;

/// `models`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// Model bundle in the Hub's layout; by default, the Hub's cache.
    pub bundle: PathBuf,
    /// Whether that is because nobody has set another one.
    pub is_hub_cache: bool,
    /// Bundle with F1's transformer; `None` = `bundle` has it.
    pub f1_bundle: Option<PathBuf>,
}

impl Models {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let bundle = reader.path("models.bundle");
        Self {
            is_hub_cache: bundle.is_none(),
            bundle: bundle.unwrap_or_else(|| hub_cache(reader)),
            f1_bundle: reader.path("models.f1_bundle"),
        }
    }
}

/// Where the Hub's own programs keep what they download; without a home folder, `models` beside the configuration.
fn hub_cache(reader: &Reader<'_>) -> PathBuf {
    let below = |name, folders: &str| Some(reader.variable(name)?.join(folders));
    below("HF_HUB_CACHE", "")
        .or_else(|| below("HUGGINGFACE_HUB_CACHE", ""))
        .or_else(|| below("HF_HOME", "hub"))
        .or_else(|| below("XDG_CACHE_HOME", "huggingface/hub"))
        .or_else(|| below("HOME", ".cache/huggingface/hub"))
        .unwrap_or_else(|| reader.beside("models"))
}
