//! Why a tokenizer can't be used.

use std::{io, path::PathBuf};

use framepack_bundle::StandIn;
use framepack_jobs::Code;
use thiserror::Error;

/// Why a tokenizer can't be used.
#[derive(Debug, Error)]
pub enum TokenizerError {
    /// A file that must be there can't be read.
    #[error("can't read the tokenizer file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there but isn't what its name says.
    #[error("the tokenizer file {path} is not valid: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// None of the files that can hold a vocabulary is there.
    #[error("{dir} has no tokenizer: expected {expected}")]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The files that would do.
        expected: &'static str,
    },
    /// Something else lies in the place of a file.
    #[error(transparent)]
    StandIn(#[from] StandIn),
    /// A special token isn't in the vocabulary.
    #[error("{dir}: the vocabulary has no entry for the {role} token {token:?}")]
    UnknownSpecial {
        /// The folder.
        dir: PathBuf,
        /// `bos`, `eos` or `pad`.
        role: &'static str,
        /// The token's text.
        token: String,
    },
    /// The text can't be tokenized with this vocabulary.
    #[error("the text can't be tokenized: {0}")]
    Encode(String),
}

impl TokenizerError {
    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::Encode(_) => Code::PROMPT,
            Self::StandIn(stand_in) => stand_in.code(),
            _ => Code::TOKENIZER,
        }
    }
}
