//! The manifest that `tests/oracle/generate.py` writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
pub(crate) struct Manifest {
    pub(crate) forward: Vec<Forward>,
    pub(crate) tokenize: Vec<Tokenize>,
    pub(crate) preprocess: Vec<Preprocess>,
}

/// One run of `framepack-worker forward`. Paths are relative to the manifest.
#[derive(Deserialize)]
pub(crate) struct Forward {
    pub(crate) name: String,
    pub(crate) component: String,
    pub(crate) model: String,
    pub(crate) inputs: String,
    pub(crate) expected: String,
    pub(crate) tolerance: Tolerance,
    pub(crate) flags: Vec<String>,
    /// Full shape of each input and output.
    pub(crate) shapes: BTreeMap<String, Vec<usize>>,
    /// Outputs of which only every n-th element along each axis is stored.
    pub(crate) stride: BTreeMap<String, Vec<usize>>,
    /// JSON file with what `--cache-trace` must write.
    #[serde(default)]
    pub(crate) trace: Option<String>,
}

impl Forward {
    /// The case's flags, in f32 unless they name another dtype.
    pub(crate) fn flags_with_dtype(&self) -> Vec<String> {
        let mut flags = self.flags.clone();
        if !flags.iter().any(|flag| flag == "--dtype") {
            flags.extend(["--dtype".to_owned(), "f32".to_owned()]);
        }
        flags
    }
}

/// Without `max_abs` (half precision) only the relative error counts.
#[derive(Deserialize)]
pub(crate) struct Tolerance {
    pub(crate) max_abs: Option<f64>,
    pub(crate) rel_l2: f64,
}

#[derive(Deserialize)]
pub(crate) struct Tokenize {
    pub(crate) model: String,
    pub(crate) text: String,
    pub(crate) llama: Vec<i64>,
    pub(crate) clip: Vec<i64>,
}

/// What the worker prints for a text.
#[derive(Deserialize)]
pub(crate) struct Ids {
    pub(crate) llama: Vec<i64>,
    pub(crate) clip: Vec<i64>,
}

/// `sha256` is of the RGB bytes, row by row.
#[derive(Deserialize)]
pub(crate) struct Preprocess {
    pub(crate) image: String,
    pub(crate) bucket: u32,
    pub(crate) height: u32,
    pub(crate) width: u32,
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn load() -> Self {
        Self::json("manifest.json")
    }

    /// Reads a JSON file beside the manifest.
    pub(crate) fn json<T: DeserializeOwned>(relative: &str) -> T {
        let path = Self::path(relative);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A path of the manifest from the root.
    pub(crate) fn path(relative: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/fixtures/parity")
            .join(relative)
    }
}
