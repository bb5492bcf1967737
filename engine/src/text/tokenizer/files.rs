//! The files of a tokenizer's folder.

use std::{fmt::Display, path::Path};

use serde_json::Value;

use crate::error::TokenizerError;

/// A file's text.
pub(super) fn read_text(path: &Path) -> Result<String, TokenizerError> {
    if let Some(stand_in) = framepack_bundle::stand_in(path) {
        return Err(stand_in.into());
    }
    std::fs::read_to_string(path).map_err(|source| TokenizerError::Read {
        path: path.to_owned(),
        source,
    })
}

/// What a JSON file holds.
pub(super) fn read_json(path: &Path) -> Result<Value, TokenizerError> {
    serde_json::from_str(&read_text(path)?).map_err(|error| invalid(path, &error))
}

/// That a folder has none of the files that would do, or what lies in the place of one of them.
pub(super) fn missing(dir: &Path, expected: &'static str, files: &[&str]) -> TokenizerError {
    let mut files = files.iter().map(|name| dir.join(name));
    match files.find_map(|file| framepack_bundle::stand_in(&file)) {
        Some(stand_in) => stand_in.into(),
        None => TokenizerError::Missing {
            dir: dir.to_owned(),
            expected,
        },
    }
}

/// That a file is not valid, and why.
pub(super) fn invalid(path: &Path, reason: &dyn Display) -> TokenizerError {
    TokenizerError::Invalid {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
