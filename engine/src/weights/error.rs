//! What can be wrong with a model's files, with the facts that a user needs to find it.

use std::{
    io,
    path::{Path, PathBuf},
};

use framepack_bundle::StandIn;
use framepack_jobs::Code;
use thiserror::Error;

/// Weights or a configuration that cannot be used.
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
    /// Something else lies in the place of a file.
    #[error(transparent)]
    StandIn(StandIn),
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
    /// The index does not fit the files that it names.
    #[error("bad index {}: {reason}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A tensor that the model needs is in none of the files.
    #[error("{} lacks tensor {tensor}, expected with shape {expected:?}", path.display())]
    Missing {
        /// The file or, where there are several, their index.
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
    /// The same, or what lies in the place of the file at `path`, which explains it.
    pub(crate) fn at(self, path: &Path) -> Self {
        framepack_bundle::stand_in(path).map_or(self, Self::StandIn)
    }

    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::WEIGHTS_MISSING,
            Self::Pickle { .. } => Code::WEIGHTS_PICKLE,
            Self::StandIn(stand_in) => stand_in.code(),
            Self::Io { .. } => Code::WEIGHTS_UNREADABLE,
            Self::Malformed { .. } => Code::WEIGHTS_MALFORMED,
            Self::Truncated { .. } => Code::WEIGHTS_TRUNCATED,
            Self::Index { .. } => Code::WEIGHTS_INDEX,
            Self::Missing { .. } => Code::TENSOR_MISSING,
            Self::Shape { .. } => Code::TENSOR_SHAPE,
            Self::Dtype { .. } => Code::TENSOR_TYPE,
            Self::Unused { .. } => Code::TENSORS_UNUSED,
            Self::Config { .. } => Code::MODEL_CONFIG,
        }
    }
}
