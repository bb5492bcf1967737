//! How far into a prompt both text encoders read, and where they stop.

use std::path::{Path, PathBuf};

use framepack_ipc::worker::RenderRequest;
use framepack_jobs::long_prompts;

use super::{prompt::MAX_PROMPT_TOKENS, tokenizer::TextTokenizers};
use crate::{
    bundle::{Bundle, Component},
    error::{Error, TokenizerError},
};

/// Tokens of a prompt that CLIP reads: 77 less the marks before and behind it.
const CLIP_TOKENS: usize = 75;
/// A word of more characters is cut within: scripts without spaces have such words.
const LONG_WORD_CHARS: usize = 20;
/// How much is shown of what is not read.
const SHOWN_CHARS: usize = 48;

/// Says of prompts how far they are read; keeps the tokenizers of the latest bundle.
#[derive(Debug, Default)]
pub struct Reach {
    open: Option<(PathBuf, TextTokenizers)>,
}

impl Reach {
    /// What is said of each of a job's prompts that is longer than an encoder reads. A bundle or a tokenizer that can't
    /// be used says nothing here: encoding says it.
    pub fn warnings(&mut self, request: &RenderRequest) -> Vec<String> {
        let prompts = long_prompts(&request.prompt, &request.negative_prompt, &request.guidance);
        if prompts.is_empty() {
            return Vec::new();
        }
        self.said_of(&request.bundle, &prompts).unwrap_or_default()
    }

    fn said_of(
        &mut self,
        bundle: &Path,
        prompts: &[(&'static str, &str)],
    ) -> Result<Vec<String>, Error> {
        let tokenizers = match self.open.take() {
            Some((root, tokenizers)) if root == bundle => tokenizers,
            _ => open(&Bundle::open(bundle)?)?,
        };
        let warnings = said_of(&tokenizers, prompts);
        self.open = Some((bundle.to_owned(), tokenizers));
        Ok(warnings?)
    }
}

fn open(bundle: &Bundle) -> Result<TextTokenizers, Error> {
    Ok(TextTokenizers::open(
        &bundle.component(Component::Tokenizer)?,
        &bundle.component(Component::Tokenizer2)?,
    )?)
}

fn said_of(
    tokenizers: &TextTokenizers,
    prompts: &[(&'static str, &str)],
) -> Result<Vec<String>, TokenizerError> {
    let mut warnings = Vec::new();
    for (key, prompt) in prompts {
        let llama = |text: &str| tokenizers.llama_tokens(text);
        let clip = |text: &str| tokenizers.clip_tokens(text);
        let llama = unread(prompt, MAX_PROMPT_TOKENS, &llama)?;
        let clip = unread(prompt, CLIP_TOKENS, &clip)?;
        let said = |encoder, unread: Option<Unread>| unread.map(|unread| unread.said(key, encoder));
        warnings.extend(said("CLIP", clip));
        warnings.extend(said("Llama", llama));
    }
    Ok(warnings)
}

/// The part of a prompt that an encoder does not read.
#[derive(Debug, PartialEq, Eq)]
struct Unread<'a> {
    tokens: usize,
    limit: usize,
    text: &'a str,
}

impl Unread<'_> {
    fn said(&self, key: &str, encoder: &str) -> String {
        let Self { tokens, limit, .. } = self;
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let words = words.join(" ");
        let shown: String = words.chars().take(SHOWN_CHARS).collect();
        let more = if shown.len() < words.len() { "…" } else { "" };
        format!("{key}: {tokens} tokens, {encoder} reads {limit}; not read from: \"{shown}{more}\"")
    }
}

/// What of `prompt` is behind its first `limit` tokens, if anything is.
fn unread<'a, E>(
    prompt: &'a str,
    limit: usize,
    count: &dyn Fn(&str) -> Result<usize, E>,
) -> Result<Option<Unread<'a>>, E> {
    let tokens = count(prompt)?;
    if tokens <= limit {
        return Ok(None);
    }
    let ends: Vec<usize> = prompt
        .split_whitespace()
        .map(|word| word.as_ptr() as usize - prompt.as_ptr() as usize + word.len())
        .collect();
    let is_read = |end: &usize| Ok::<_, E>(count(&prompt[..*end])? <= limit);
    let read_words = how_many(&ends, is_read)?;
    let read_to = read_words.checked_sub(1).map_or(0, |last| ends[last]);
    let rest = &prompt[read_to..];
    let start = prompt.len() - rest.trim_start().len();
    let end = ends.get(read_words).copied().unwrap_or(prompt.len());
    let word = &prompt[start..end];
    let within = if word.chars().count() > LONG_WORD_CHARS {
        let places: Vec<usize> = word
            .char_indices()
            .map(|(at, c)| start + at + c.len_utf8())
            .collect();
        let read_chars = how_many(&places, is_read)?;
        read_chars.checked_sub(1).map_or(start, |last| places[last])
    } else {
        start
    };
    Ok(Some(Unread {
        tokens,
        limit,
        text: &prompt[within..],
    }))
}

/// How many of the first of these satisfy; those behind one that does not do not, either.
fn how_many<E>(
    places: &[usize],
    satisfies: impl Fn(&usize) -> Result<bool, E>,
) -> Result<usize, E> {
    let (mut known, mut unknown) = (0, places.len());
    while known < unknown {
        let middle = known + (unknown - known) / 2;
        if satisfies(&places[middle])? {
            known = middle + 1;
        } else {
            unknown = middle;
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// As if every word had as many tokens as it has letters in groups of four.
    fn count(text: &str) -> usize {
        let words = text.split_whitespace();
        words.map(|word| word.chars().count().div_ceil(4)).sum()
    }

    fn said(prompt: &str, limit: usize) -> Option<String> {
        let Ok(unread) = unread(prompt, limit, &|text| Ok::<_, Infallible>(count(text)));
        unread.map(|unread| unread.said("prompt", "CLIP"))
    }

    #[test]
    fn a_prompt_that_fits_is_not_worth_a_word() {
        assert_eq!(said("", 3), None);
        assert_eq!(said("one two  dogs", 3), None);
    }

    #[test]
    fn the_first_word_that_is_not_read_whole_is_named() {
        let expected = "prompt: 5 tokens, CLIP reads 3; not read from: \"jumping cat\"";
        assert_eq!(
            said("the dog and\njumping\tcat", 3).as_deref(),
            Some("prompt: 6 tokens, CLIP reads 3; not read from: \"jumping cat\"")
        );
        assert_eq!(said("the dog jumping cat", 3).as_deref(), Some(expected));
        let long = said(&format!("a {}", "word ".repeat(40)), 1).unwrap();
        assert!(
            long.ends_with("word word word word word word word word word wor…\""),
            "{long}"
        );
    }

    #[test]
    fn a_script_without_spaces_is_cut_between_characters() {
        let prompt = "猫".repeat(50);
        let said = said(&prompt, 10).unwrap();
        assert_eq!(
            said,
            format!(
                "prompt: 13 tokens, CLIP reads 10; not read from: \"{}\"",
                "猫".repeat(10)
            )
        );
    }
}
