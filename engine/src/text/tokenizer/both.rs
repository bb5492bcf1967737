//! The tokenizers of a bundle.

use std::path::Path;

use super::{clip::ClipTokenizer, llama::LlamaTokenizer};
use crate::error::TokenizerError;

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

    /// Tokens of the prompt alone as the language model has them, however many.
    pub fn llama_tokens(&self, prompt: &str) -> Result<usize, TokenizerError> {
        self.llama.prompt_tokens(prompt)
    }

    /// The same for CLIP.
    pub fn clip_tokens(&self, prompt: &str) -> Result<usize, TokenizerError> {
        self.clip.prompt_tokens(prompt)
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
