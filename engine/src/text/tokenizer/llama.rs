//! The language model's tokenizer: transformers' `LlamaTokenizerFast` over a `tokenizer.json`.

use std::path::Path;

use tokenizers::Tokenizer;

use super::files::{invalid, missing, read_text};
use super::special::SpecialTokens;
use crate::error::TokenizerError;
use crate::text::prompt::{BEFORE_PROMPT, MAX_PROMPT_TOKENS, with_template};

/// Llama 3's BOS, for a folder whose JSON files name none.
const DEFAULT_BOS: &str = "<|begin_of_text|>";

/// Tokens of [`AFTER_PROMPT`](crate::text::prompt::AFTER_PROMPT), which is a special one.
const CLOSING_TOKENS: usize = 1;

/// Byte-level BPE with Llama's special tokens.
#[derive(Debug)]
pub struct LlamaTokenizer {
    tokenizer: Tokenizer,
    bos: u32,
    prefix_tokens: usize,
}

impl LlamaTokenizer {
    /// Reads `tokenizer.json` and the special tokens named beside it.
    pub fn open(dir: &Path) -> Result<Self, TokenizerError> {
        let path = dir.join("tokenizer.json");
        if !path.exists() {
            return Err(missing(dir, "tokenizer.json", &["tokenizer.json"]));
        }
        let tokenizer = read_text(&path)?.parse::<Tokenizer>();
        let mut tokenizer = tokenizer.map_err(|error| invalid(&path, &error))?;
        // The file may carry the settings of whoever saved it last.
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| invalid(&path, &error))?;

        let token = SpecialTokens::read(dir)?
            .bos
            .unwrap_or_else(|| DEFAULT_BOS.to_owned());
        let Some(bos) = tokenizer.token_to_id(&token) else {
            return Err(TokenizerError::UnknownSpecial {
                dir: dir.to_owned(),
                role: "bos",
                token,
            });
        };
        let mut this = Self {
            tokenizer,
            bos,
            prefix_tokens: 0,
        };
        this.prefix_tokens = this.ids(BEFORE_PROMPT)?.len();
        Ok(this)
    }

    /// BOS, then the template with the prompt in it, cut on the right after
    /// [`MAX_PROMPT_TOKENS`] tokens past the prefix. Not padded: (L,), L ≤ prefix + 256.
    pub fn prompt_ids(&self, prompt: &str) -> Result<Vec<i64>, TokenizerError> {
        let mut ids = self.ids(&with_template(prompt))?;
        ids.truncate(self.prefix_tokens + MAX_PROMPT_TOKENS);
        Ok(ids)
    }

    /// Tokens of the prompt without the template, however many.
    pub fn prompt_tokens(&self, prompt: &str) -> Result<usize, TokenizerError> {
        let tokens = self.ids(&with_template(prompt))?.len();
        Ok(tokens.saturating_sub(self.prefix_tokens + CLOSING_TOKENS))
    }

    /// Number of ids before the prompt: BOS and [`BEFORE_PROMPT`].
    pub fn prefix_tokens(&self) -> usize {
        self.prefix_tokens
    }

    /// `LlamaTokenizerFast` replaces the file's post-processor by "BOS in front, nothing behind", so the
    /// file's own is not run: BOS comes exactly once, whether or not the file would add it.
    fn ids(&self, text: &str) -> Result<Vec<i64>, TokenizerError> {
        let encoding = self
            .tokenizer
            .encode(text, false)
            .map_err(|error| TokenizerError::Encode(error.to_string()))?;
        Ok(std::iter::once(self.bos)
            .chain(encoding.get_ids().iter().copied())
            .map(i64::from)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Map, Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::text::prompt::AFTER_PROMPT;

    const SPECIAL: [&str; 4] = [
        DEFAULT_BOS,
        "<|start_header_id|>",
        "<|end_header_id|>",
        AFTER_PROMPT,
    ];

    /// Every byte-level character is a token; the post-processor adds BOS and EOS of its own.
    fn folder() -> TempDir {
        let characters = ('!'..='~').chain("ĊĠ".chars()).map(String::from);
        let vocab: Map<_, _> = characters.zip((0..).map(Value::from)).collect();
        let added: Vec<_> = SPECIAL
            .iter()
            .zip(vocab.len()..)
            .map(|(content, id)| {
                json!({ "id": id, "content": content, "special": true, "normalized": false,
                        "single_word": false, "lstrip": false, "rstrip": false })
            })
            .collect();
        let bos = json!({ "SpecialToken": { "id": DEFAULT_BOS, "type_id": 0 } });
        let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
        let json = json!({
            "version": "1.0", "added_tokens": added, "normalizer": null, "decoder": null,
            "truncation": { "direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0 },
            "padding": null,
            "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
            "post_processor": { "type": "TemplateProcessing", "single": [bos, text, bos], "pair": [text],
                "special_tokens": { DEFAULT_BOS: { "id": DEFAULT_BOS, "ids": [vocab.len()], "tokens": [DEFAULT_BOS] } } },
            "model": { "type": "BPE", "vocab": vocab, "merges": [] },
        });
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("tokenizer.json"), json.to_string()).unwrap();
        dir
    }

    #[test]
    fn bos_comes_once_and_the_prefix_is_measured() {
        let dir = folder();
        let llama = LlamaTokenizer::open(dir.path()).unwrap();
        let ids = llama.prompt_ids("cat").unwrap();
        let bos = i64::from(llama.bos);
        assert_eq!(ids.iter().filter(|id| **id == bos).count(), 1);
        assert_eq!(ids[0], bos);
        // One id per special token, one per character of the rest.
        let special: usize = BEFORE_PROMPT.matches("<|").count();
        let bytes: usize = SPECIAL[1..]
            .iter()
            .map(|s| s.len() * BEFORE_PROMPT.matches(s).count())
            .sum();
        assert_eq!(
            llama.prefix_tokens(),
            1 + special + BEFORE_PROMPT.len() - bytes
        );
        assert_eq!(
            ids.len(),
            llama.prefix_tokens() + 3 + 1,
            "three letters and <|eot_id|>"
        );
    }

    #[test]
    fn a_long_prompt_loses_its_end() {
        let dir = folder();
        let llama = LlamaTokenizer::open(dir.path()).unwrap();
        let ids = llama.prompt_ids(&"a".repeat(1000)).unwrap();
        assert_eq!(ids.len(), llama.prefix_tokens() + MAX_PROMPT_TOKENS);
        assert_eq!(ids[ids.len() - 1], ids[ids.len() - 2]);
    }

    #[test]
    fn bos_is_what_the_folder_says() {
        let dir = folder();
        fs::write(
            dir.path().join("tokenizer_config.json"),
            r#"{"bos_token": "!"}"#,
        )
        .unwrap();
        assert_eq!(
            LlamaTokenizer::open(dir.path())
                .unwrap()
                .prompt_ids("")
                .unwrap()[0],
            0
        );
        fs::write(
            dir.path().join("tokenizer_config.json"),
            r#"{"bos_token": "<none>"}"#,
        )
        .unwrap();
        let error = LlamaTokenizer::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("<none>"), "{error}");
    }
}
