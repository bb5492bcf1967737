//! What can be wrong with a checkpoint, with the facts that a user needs to find it.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A checkpoint or configuration that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// Neither an index nor a single file is there.
    #[error("no weights in {}: neither {base}.safetensors.index.json nor {base}.safetensors exists", dir.display())]
    NotFound {
        /// The component's folder.
        dir: PathBuf,
        /// File name without extension, as the libraries that write it call it.
        base: &'static str,
    },
    /// Weights are there, but as a Python pickle, which runs code when it is read.
    #[error("{} is a Python pickle: only safetensors files are read", path.display())]
    Pickle {
        /// The pickle.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `opening`, `mapping`, `reading`, `writing`.
        doing: &'static str,
        /// Its reason.
        source: io::Error,
    },
    /// The file is not a safetensors file.
    #[error("{} is not a valid safetensors file: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        reason: String,
    },
    /// The file ends before the data that its header announces.
    #[error(
        "{} is truncated: tensor {tensor} needs the file to be {expected_bytes} bytes long, found {found_bytes}",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// First tensor that is not whole.
        tensor: String,
        /// Where that tensor ends, counted from the start of the file.
        expected_bytes: u64,
        /// Length of the file.
        found_bytes: u64,
    },
    /// The index of a sharded checkpoint does not fit its shards.
    #[error("bad index {}: {reason}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A tensor that the model needs is nowhere in the checkpoint.
    #[error("{} lacks tensor {tensor}, expected with shape {expected:?}", path.display())]
    Missing {
        /// The file or, for a sharded checkpoint, the index.
        path: PathBuf,
        /// Full name of the tensor.
        tensor: String,
        /// Shape that the configuration asks for.
        expected: Vec<i64>,
    },
    /// A tensor has another shape than the configuration asks for.
    #[error("{}: tensor {tensor} has shape {found:?}, expected {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Full name of the tensor.
        tensor: String,
        /// Shape that the configuration asks for.
        expected: Vec<i64>,
        /// Shape in the file.
        found: Vec<i64>,
    },
    /// A tensor is stored in a type that models are not made of.
    #[error("{}: tensor {tensor} has type {found}, expected BF16, F16 or F32", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// Full name of the tensor.
        tensor: String,
        /// Type in the file.
        found: String,
    },
    /// Tensors that no part of the model asked for: this is another model than the configuration says.
    #[error(
        "{} holds {count} tensors that the model does not use, the first is {tensor} with shape {found:?}, expected none",
        path.display()
    )]
    Unused {
        /// File that holds the first of them.
        path: PathBuf,
        /// The first of them.
        tensor: String,
        /// Its shape.
        found: Vec<i64>,
        /// How many there are.
        count: usize,
    },
    /// A `config.json` that is unreadable or describes a model that this engine does not have.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl WeightsError {
    /// Stable code for reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "FP3001",
            Self::Pickle { .. } => "FP3002",
            Self::Io { .. } => "FP3003",
            Self::Malformed { .. } => "FP3004",
            Self::Truncated { .. } => "FP3005",
            Self::Index { .. } => "FP3006",
            Self::Missing { .. } => "FP3007",
            Self::Shape { .. } => "FP3008",
            Self::Dtype { .. } => "FP3009",
            Self::Unused { .. } => "FP3010",
            Self::Config { .. } => "FP3011",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "point models.bundle at a folder in the Hub's layout",
            Self::Pickle { .. } => "download the safetensors version of this model",
            Self::Io { .. } => "check that the file exists and that the worker's user may read it",
            Self::Malformed { .. } | Self::Truncated { .. } | Self::Index { .. } => {
                "download this folder of the model again"
            }
            Self::Missing { .. } | Self::Shape { .. } | Self::Unused { .. } => {
                "config.json and weights must come from the same model"
            }
            Self::Dtype { .. } => "use a checkpoint stored as bf16, f16 or f32",
            Self::Config { .. } => "use the config.json that belongs to this model",
        }
    }
}
