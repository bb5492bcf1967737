//! A BPE vocabulary and its merges, from their two text files or from a `tokenizer.json`.

use std::path::Path;

use serde_json::Value;
use tokenizers::models::bpe::{Merges, Vocab};

use super::files::{invalid, missing, read_json, read_text};
use crate::error::TokenizerError;

/// `merges.txt` may list more merges than CLIP's vocabulary uses: 49152 entries less 256 bytes, less the
/// two special tokens.
const MAX_MERGES: usize = 49152 - 256 - 2;

/// Reads `vocab.json` and `merges.txt`, or the same two out of a `tokenizer.json`.
pub(super) fn read_vocabulary(dir: &Path) -> Result<(Vocab, Merges), TokenizerError> {
    let [vocab, merges, json] =
        ["vocab.json", "merges.txt", "tokenizer.json"].map(|name| dir.join(name));
    if vocab.is_file() && merges.is_file() {
        let vocab = vocab_from(read_json(&vocab)?, &vocab)?;
        Ok((vocab, merges_from_text(&merges)?))
    } else if json.is_file() {
        vocabulary_from_tokenizer_json(&json)
    } else {
        Err(missing(
            dir,
            "vocab.json with merges.txt, or tokenizer.json",
            &["tokenizer.json", "vocab.json", "merges.txt"],
        ))
    }
}

fn vocab_from(value: Value, path: &Path) -> Result<Vocab, TokenizerError> {
    serde_json::from_value(value).map_err(|error| invalid(path, &format!("vocabulary: {error}")))
}

/// One merge per line, `left right`, after a header line.
fn merges_from_text(path: &Path) -> Result<Merges, TokenizerError> {
    let text = read_text(path)?;
    let lines = text.trim().lines().skip(1).take(MAX_MERGES);
    lines.map(|line| merge_from_line(line, path)).collect()
}

fn merge_from_line(line: &str, path: &Path) -> Result<(String, String), TokenizerError> {
    match line.split_once(' ') {
        Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
        None => Err(invalid(
            path,
            &format!("{line:?} is not a merge of two tokens"),
        )),
    }
}

/// `model.vocab`, `added_tokens` and `model.merges`, whose entries are `"left right"` or `["left", "right"]`.
fn vocabulary_from_tokenizer_json(path: &Path) -> Result<(Vocab, Merges), TokenizerError> {
    let mut json = read_json(path)?;
    let mut vocab = vocab_from(json["model"]["vocab"].take(), path)?;
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        if let (Some(text), Some(id)) = (token["content"].as_str(), token["id"].as_u64()) {
            vocab.insert(text.to_owned(), id as u32);
        }
    }
    let merges = json["model"]["merges"]
        .as_array()
        .ok_or_else(|| invalid(path, &"no model.merges"))?;
    let merges = merges.iter().map(|merge| match merge {
        Value::String(line) => merge_from_line(line, path),
        pair => serde_json::from_value(pair.clone())
            .map_err(|error| invalid(path, &format!("merges: {error}"))),
    });
    Ok((vocab, merges.collect::<Result<_, _>>()?))
}
