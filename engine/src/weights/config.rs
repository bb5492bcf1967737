//! The `config.json` beside the weights.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use super::error::WeightsError;

/// Reads what `T` needs from `config.json` in `dir`; other keys are ignored.
pub fn read_config<T: DeserializeOwned>(dir: &Path) -> Result<T, WeightsError> {
    read_json(&dir.join("config.json"))
}

/// Reads what `T` needs from a JSON file; other keys are ignored.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, WeightsError> {
    let text = fs::read(path).map_err(|source| {
        let error = WeightsError::Io {
            path: path.into(),
            doing: "reading",
            source,
        };
        error.at(path)
    })?;
    serde_json::from_slice(&text).map_err(|e| {
        let error = WeightsError::Config {
            path: path.into(),
            reason: e.to_string(),
        };
        error.at(path)
    })
}
