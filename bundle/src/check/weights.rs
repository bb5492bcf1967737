//! The weights of a part: which files they are in, and what their headers say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use framepack_jobs::Code;
use serde::Deserialize;

use super::Survey;
use crate::{
    header::Header,
    stand_in::{self, pickle},
};

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Survey {
    /// A component's weights; their bytes.
    pub(super) fn weights(&mut self, folder: &Path, base: &str) -> u64 {
        let index = folder.join(format!("{base}.safetensors.index.json"));
        let single = folder.join(format!("{base}.safetensors"));
        self.note(&index);
        if index.exists() {
            return self.shards(&index);
        }
        self.note(&single);
        if single.exists() {
            return self.file(&single).1;
        }
        if let Some(path) = pickle(folder) {
            self.pickle(&path);
        } else {
            let stand_in = stand_in::of(&index).or_else(|| stand_in::of(&single));
            let path = stand_in.map_or(single, |stand_in| stand_in.path);
            let message = format!(
                "no weights in {}: neither {base}.safetensors.index.json nor {base}.safetensors exists",
                folder.display()
            );
            self.fault(&path, Code::WEIGHTS_MISSING, &message);
        }
        0
    }

    /// The files that an index names; their bytes.
    fn shards(&mut self, index: &Path) -> u64 {
        let read = fs::read(index).map_err(|error| error.to_string());
        let parsed = read.and_then(|text| {
            serde_json::from_slice::<Index>(&text).map_err(|error| error.to_string())
        });
        let bad = |reason: &str| format!("bad index {}: {reason}", index.display());
        let map = match parsed {
            Ok(Index { weight_map }) => weight_map,
            Err(reason) => {
                self.fault(index, Code::WEIGHTS_INDEX, &bad(&reason));
                return 0;
            }
        };
        let names: BTreeSet<&String> = map.values().collect();
        let mut all_bytes = 0;
        for name in names {
            // Never a path: an index must not reach out of its folder.
            if Path::new(name).file_name() != Some(name.as_ref()) {
                let message = bad(&format!(
                    "{name:?} is not the name of a file in this folder"
                ));
                self.fault(index, Code::WEIGHTS_INDEX, &message);
                continue;
            }
            let shard = index.with_file_name(name);
            self.note(&shard);
            if !name.ends_with(".safetensors") {
                self.pickle(&shard);
                continue;
            }
            if !shard.exists() {
                let message = bad(&format!("shard {name} is missing"));
                self.fault(&shard, Code::WEIGHTS_INDEX, &message);
                continue;
            }
            let (header, bytes) = self.file(&shard);
            all_bytes += bytes;
            let Some(header) = header else { continue };
            let mapped = map.iter().filter(|(_, file)| *file == name);
            let lacks = mapped
                .map(|(tensor, _)| tensor)
                .find(|tensor| !header.tensors.contains_key(*tensor));
            if let Some(tensor) = lacks {
                let message = bad(&format!(
                    "it places tensor {tensor} in {name}, which does not hold it"
                ));
                self.fault(index, Code::WEIGHTS_INDEX, &message);
            }
        }
        all_bytes
    }

    /// One file of weights: its header, and its bytes.
    fn file(&mut self, path: &Path) -> (Option<Header>, u64) {
        let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
        if let Some(stand_in) = stand_in::of(path) {
            self.found(&stand_in.into());
            return (None, bytes);
        }
        match Header::read(path) {
            Ok(header) => (Some(header), bytes),
            Err((code, reason)) => {
                self.fault(path, code, &format!("{} {reason}", path.display()));
                (None, bytes)
            }
        }
    }

    fn pickle(&mut self, path: &Path) {
        let message = format!(
            "{} is a Python pickle: only safetensors files are read",
            path.display()
        );
        self.add(Code::WEIGHTS_PICKLE, message);
    }
}
