//! The tokenizers of both text encoders, read from the bundle's own files.

mod clip;
mod llama;
mod pieces;
mod special;
mod vocabulary;

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use framepack_jobs::Code;
use serde_json::Value;
use thiserror::Error;

pub use clip::ClipTokenizer;
pub use llama::LlamaTokenizer;

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
            _ => Code::TOKENIZER,
        }
    }
}

/// Both tokenizers of a bundle.
#[derive(Debug)]
pub struct TextTokenizers {
    llama: LlamaTokenizer,
    clip: ClipTokenizer,
}

impl TextTokenizers {
    /// Reads the tokenizers from their folders (`tokenizer/` and `tokenizer_2/` of a bundle).
    pub fn open(tokenizer: &Path, tokenizer_2: &Path) -> Result<Self, TokenizerError> {
        Ok(Self {
            llama: LlamaTokenizer::open(tokenizer)?,
            clip: ClipTokenizer::open(tokenizer_2)?,
        })
    }

    /// Ids of `prompt` for the language model: BOS, the template with the prompt in it, no padding.
    pub fn llama_ids(&self, prompt: &str) -> Result<Vec<i64>, TokenizerError> {
        self.llama.prompt_ids(prompt)
    }

    /// How many ids precede the prompt in [`Self::llama_ids`]: BOS and the template's first part
    /// (95 with the Llama-3 vocabulary).
    pub fn llama_prefix_tokens(&self) -> usize {
        self.llama.prefix_tokens()
    }

    /// Ids of `prompt` for CLIP: BOS, the prompt without template, EOS, padded to 77.
    pub fn clip_ids(&self, prompt: &str) -> Result<Vec<i64>, TokenizerError> {
        self.clip.prompt_ids(prompt)
    }
}

fn read_text(path: &Path) -> Result<String, TokenizerError> {
    std::fs::read_to_string(path).map_err(|source| TokenizerError::Read {
        path: path.to_owned(),
        source,
    })
}

fn read_json(path: &Path) -> Result<Value, TokenizerError> {
    serde_json::from_str(&read_text(path)?).map_err(|error| invalid(path, &error))
}

fn invalid(path: &Path, reason: &dyn Display) -> TokenizerError {
    TokenizerError::Invalid {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
