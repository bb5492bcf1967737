//! Special tokens as transformers' tokenizers write them beside the vocabulary.

use std::path::Path;

use serde_json::Value;

use super::files::read_json;
use crate::error::TokenizerError;

/// The texts of the special tokens that a tokenizer's folder names.
#[derive(Debug, Default)]
pub(super) struct SpecialTokens {
    pub(super) bos: Option<String>,
    pub(super) eos: Option<String>,
    pub(super) pad: Option<String>,
    pub(super) unk: Option<String>,
}

impl SpecialTokens {
    /// Reads `tokenizer_config.json`, then what it leaves open from `special_tokens_map.json`.
    /// Either file may be absent.
    pub(super) fn read(dir: &Path) -> Result<Self, TokenizerError> {
        let mut tokens = Self::default();
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
            let path = dir.join(name);
            if !path.exists() && framepack_bundle::stand_in(&path).is_none() {
                continue;
            }
            let json = read_json(&path)?;
            for (token, key) in [
                (&mut tokens.bos, "bos_token"),
                (&mut tokens.eos, "eos_token"),
                (&mut tokens.pad, "pad_token"),
                (&mut tokens.unk, "unk_token"),
            ] {
                if token.is_none() {
                    *token = token_text(&json[key]);
                }
            }
        }
        Ok(tokens)
    }
}

/// A token is written as its text, or as an object (`AddedToken`) with its text under `content`.
fn token_text(value: &Value) -> Option<String> {
    value
        .as_str()
        .or_else(|| value["content"].as_str())
        .map(str::to_owned)
}
