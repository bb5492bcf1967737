//! The index of a component whose tensors are spread over several files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::weights::error::WeightsError;

/// `<base>.safetensors.index.json`.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    /// From a tensor to the file that holds it.
    weight_map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Content {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    pub(super) fn read(path: &Path) -> Result<Self, WeightsError> {
        let text = fs::read(path).map_err(|source| WeightsError::Io {
            path: path.into(),
            doing: "reading",
            source,
        })?;
        let content: Content = serde_json::from_slice(&text).map_err(|e| {
            let error = WeightsError::Index {
                path: path.into(),
                reason: e.to_string(),
            };
            error.at(path)
        })?;
        Ok(Self {
            path: path.into(),
            weight_map: content.weight_map,
        })
    }

    /// The files that it names.
    pub(super) fn files(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }

    /// Where a file that it names is, if it may be read.
    pub(super) fn path_of(&self, file: &str) -> Result<PathBuf, WeightsError> {
        // A name, never a path: an index must not reach out of its folder.
        if Path::new(file).file_name() != Some(file.as_ref()) {
            return Err(self.bad(format!("{file:?} is not the name of a file in this folder")));
        }
        let path = self.path.with_file_name(file);
        if !file.ends_with(".safetensors") {
            return Err(WeightsError::Pickle { path });
        }
        if !path.exists() {
            return Err(self.bad(format!("shard {file} is missing")).at(&path));
        }
        Ok(path)
    }

    /// Checks that a file holds the tensors that are said to be in it and no others.
    pub(super) fn check(&self, file: &str, stored: &BTreeSet<String>) -> Result<(), WeightsError> {
        let mapped = self.weight_map.iter().filter(|(_, f)| *f == file);
        let mapped: BTreeSet<&String> = mapped.map(|(name, _)| name).collect();
        if let Some(name) = mapped.iter().find(|name| !stored.contains(**name)) {
            return Err(self.bad(format!(
                "it places tensor {name} in {file}, which does not hold it"
            )));
        }
        if let Some(name) = stored.iter().find(|name| !mapped.contains(name)) {
            return Err(self.bad(format!(
                "{file} holds tensor {name}, which it does not list there"
            )));
        }
        Ok(())
    }

    fn bad(&self, reason: String) -> WeightsError {
        WeightsError::Index {
            path: self.path.clone(),
            reason,
        }
    }
}
