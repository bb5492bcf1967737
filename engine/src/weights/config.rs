//! The `config.json` beside the weights.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use super::WeightsError;

/// Reads what `T` needs from `config.json` in `dir`; other keys are ignored.
pub fn read_config<T: DeserializeOwned>(dir: &Path) -> Result<T, WeightsError> {
    let path = dir.join("config.json");
    let text = fs::read(&path).map_err(|source| WeightsError::Io {
        path: path.clone(),
        doing: "reading",
        source,
    })?;
    serde_json::from_slice(&text).map_err(|e| WeightsError::Config {
        path,
        reason: e.to_string(),
    })
}
