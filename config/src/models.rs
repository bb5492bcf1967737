//! `models`: model bundles.

use std::path::PathBuf;

use crate::reader::Reader;

/// `models`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// Model bundle in the Hub's layout.
    pub bundle: PathBuf,
    /// Bundle with F1's transformer; `None` = `transformer_f1/` of `bundle`, or else its `transformer/`.
    pub f1_bundle: Option<PathBuf>,
}

impl Models {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            bundle: reader.required_path("models.bundle"),
            f1_bundle: reader.path("models.f1_bundle"),
        }
    }
}
