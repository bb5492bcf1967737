//! CLIP's tokenizer: transformers' slow `CLIPTokenizer` without ftfy.
//!
//! The text is cleaned as BERT's `BasicTokenizer` does (accents and punctuation stay), lower-cased, split
//! by CLIP's pattern, written in byte-level characters, and merged by BPE whose word ends carry `</w>`.
//!
//! BOS and EOS written out in a prompt are those tokens: as they are, wherever they stand; in other letters, where
//! CLIP's pattern begins a word. Behind punctuation, to which their `<` then belongs, they are ordinary text.

use std::path::Path;

use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{NFC, Replace, replace::ReplacePattern};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::utils::SysRegex;
use tokenizers::{
    NormalizedString, Normalizer, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer,
};

use super::files::invalid;
use super::pieces::{Piece, escape, pieces, places};
use super::special::SpecialTokens;
use super::vocabulary::read_vocabulary;
use crate::error::TokenizerError;

/// Length of CLIP's text context, BOS and EOS included (`model_max_length`; FramePack passes it literally).
const CONTEXT_TOKENS: usize = 77;
/// English contractions, a run of letters, one digit, a run of anything else.
const PATTERN: &str = r"(?i)'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+";
/// Control, format, private and unassigned characters and U+FFFD, except the three that count as space.
const DROPPED: &str = r"[\p{C}\x{FFFD}--\t\n\r]";

const DEFAULT_BOS: &str = "<|startoftext|>";
const DEFAULT_EOS: &str = "<|endoftext|>";

/// Byte-level BPE over cleaned, lower-cased words.
#[derive(Debug)]
pub struct ClipTokenizer {
    /// BPE of ordinary text.
    tokenizer: Tokenizer,
    cleaner: Replace,
    /// Texts of BOS and EOS.
    specials: [String; 2],
    /// [`PATTERN`], before it the specials in any letters.
    words: SysRegex,
    bos: i64,
    eos: i64,
    pad: i64,
}

impl ClipTokenizer {
    /// Reads `vocab.json` and `merges.txt`, or the same two out of a `tokenizer.json`.
    pub fn open(dir: &Path) -> Result<Self, TokenizerError> {
        let (vocab, merges) = read_vocabulary(dir)?;
        let special = SpecialTokens::read(dir)?;
        let bos = special.bos.unwrap_or_else(|| DEFAULT_BOS.to_owned());
        let eos = special.eos.unwrap_or_else(|| DEFAULT_EOS.to_owned());
        let pad = special.pad.unwrap_or_else(|| DEFAULT_EOS.to_owned());
        let unk = special.unk.unwrap_or_else(|| DEFAULT_EOS.to_owned());
        let id = |role, token: &str| match vocab.get(token) {
            Some(id) => Ok(i64::from(*id)),
            None => Err(TokenizerError::UnknownSpecial {
                dir: dir.to_owned(),
                role,
                token: token.to_owned(),
            }),
        };
        let ids = [id("bos", &bos)?, id("eos", &eos)?, id("pad", &pad)?];

        let bpe = BPE::builder()
            .vocab_and_merges(vocab, merges)
            .end_of_word_suffix("</w>".to_owned())
            .unk_token(unk)
            .build()
            .map_err(|error| invalid(dir, &error))?;
        let mut tokenizer = Tokenizer::new(bpe);
        tokenizer.with_pre_tokenizer(Some(words_in_byte_characters()));
        let words = format!("{}|{}|{PATTERN}", escape(&bos), escape(&eos));
        let words = SysRegex::new(&format!("(?i){words}")).map_err(|e| invalid(dir, &e))?;
        let cleaner = Replace::new(ReplacePattern::Regex(DROPPED.to_owned()), "")
            .expect("the pattern is a constant that compiles");
        let texts = [bos, eos];
        let [bos, eos, pad] = ids;
        Ok(Self {
            tokenizer,
            cleaner,
            specials: texts,
            words,
            bos,
            eos,
            pad,
        })
    }

    /// BOS, the prompt's tokens (at most 75), EOS, then padding: always 77 ids.
    pub fn prompt_ids(&self, prompt: &str) -> Result<Vec<i64>, TokenizerError> {
        let mut ids = vec![self.bos];
        ids.append(&mut self.bare_ids(prompt)?);
        ids.truncate(CONTEXT_TOKENS - 1);
        ids.push(self.eos);
        ids.resize(CONTEXT_TOKENS, self.pad);
        Ok(ids)
    }

    /// Tokens of the prompt, however many.
    pub fn prompt_tokens(&self, prompt: &str) -> Result<usize, TokenizerError> {
        Ok(self.bare_ids(prompt)?.len())
    }

    /// The prompt's own ids, all of them.
    fn bare_ids(&self, prompt: &str) -> Result<Vec<i64>, TokenizerError> {
        let encode = |error: tokenizers::Error| TokenizerError::Encode(error.to_string());
        let mut ids = Vec::new();
        for piece in pieces(prompt, places(prompt, &self.specials)) {
            match piece {
                Piece::Special(text) => ids.push(self.special_id(text)),
                Piece::Text(text) => self.push_ids(text, &mut ids).map_err(encode)?,
            }
        }
        Ok(ids)
    }

    /// Appends the ids of text without specials in their own letters.
    fn push_ids(&self, text: &str, ids: &mut Vec<i64>) -> tokenizers::Result<()> {
        let text = self.basic_tokenize(text)?;
        let words = self.words.find_iter(&text);
        let specials: Vec<_> = words
            .filter(|(start, end)| self.specials.iter().any(|s| *s == text[*start..*end]))
            .map(|(start, end)| start..end)
            .collect();
        for piece in pieces(&text, specials) {
            match piece {
                Piece::Special(text) => ids.push(self.special_id(text)),
                Piece::Text(text) => {
                    let encoding = self.tokenizer.encode(text, false)?;
                    ids.extend(encoding.get_ids().iter().map(|id| i64::from(*id)));
                }
            }
        }
        Ok(())
    }

    fn special_id(&self, text: &str) -> i64 {
        if text == self.specials[0] {
            self.bos
        } else {
            self.eos
        }
    }

    /// BERT's `BasicTokenizer` with accents and punctuation left alone, its words joined by one space.
    fn basic_tokenize(&self, text: &str) -> tokenizers::Result<String> {
        let mut cleaned = NormalizedString::from(text);
        self.cleaner.normalize(&mut cleaned)?;
        let mut spaced = NormalizedString::from(space_around_ideographs(cleaned.get()));
        NFC.normalize(&mut spaced)?;
        let words: Vec<String> = spaced
            .get()
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        Ok(words.join(" "))
    }
}

fn words_in_byte_characters() -> PreTokenizerWrapper {
    let words = Split::new(
        SplitPattern::Regex(PATTERN.to_owned()),
        SplitDelimiterBehavior::Removed,
        true,
    )
    .expect("the pattern is a constant that compiles");
    let bytes = ByteLevel::new(false, false, false);
    PreTokenizerWrapper::Sequence(Sequence::new(vec![words.into(), bytes.into()]))
}

fn space_around_ideographs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_ideograph(c) {
            out.extend([' ', c, ' ']);
        } else {
            out.push(c);
        }
    }
    out
}

/// The blocks that `BasicTokenizer._is_chinese_char` lists.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B820..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};
    use tempfile::TempDir;
    use tokenizers::models::bpe::Vocab;

    use super::*;

    const MERGES: [&str; 3] = ["c a", "ca t</w>", "' s</w>"];

    /// Ids: 33 characters, the same with `</w>`, three merges, then BOS and EOS.
    fn vocab() -> Vocab {
        let characters: Vec<String> = ('a'..='z')
            .chain("Â½'!<|>".chars())
            .map(String::from)
            .collect();
        let ends = characters.iter().map(|c| format!("{c}</w>"));
        let merged = MERGES.iter().map(|merge| merge.replace(' ', ""));
        let special = [DEFAULT_BOS, DEFAULT_EOS].map(String::from);
        let tokens = characters
            .iter()
            .cloned()
            .chain(ends)
            .chain(merged)
            .chain(special);
        tokens.zip(0..).collect()
    }

    fn two_files() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let map: serde_json::Map<_, _> = vocab()
            .into_iter()
            .map(|(token, id)| (token, json!(id)))
            .collect();
        fs::write(
            dir.path().join("vocab.json"),
            Value::Object(map).to_string(),
        )
        .unwrap();
        fs::write(
            dir.path().join("merges.txt"),
            format!("#version: 0.2\n{}\n", MERGES.join("\n")),
        )
        .unwrap();
        dir
    }

    /// The prompt's tokens between BOS and the first EOS.
    fn tokens(tokenizer: &ClipTokenizer, prompt: &str) -> Vec<String> {
        let ids = tokenizer.prompt_ids(prompt).unwrap();
        let inner = ids[1..].iter().take_while(|id| **id != tokenizer.eos);
        inner
            .map(|id| tokenizer.tokenizer.id_to_token(*id as u32).unwrap())
            .collect()
    }

    #[test]
    fn words_are_lower_cased_and_merged_to_their_ends() {
        let dir = two_files();
        let clip = ClipTokenizer::open(dir.path()).unwrap();
        assert_eq!(
            tokens(&clip, " CAT\tcats "),
            ["cat</w>", "ca", "t", "s</w>"]
        );
        assert_eq!(
            tokens(&clip, "cat's!!"),
            ["cat</w>", "'s</w>", "!", "!</w>"]
        );
        assert_eq!(
            tokens(&clip, "½½"),
            ["Â", "½</w>", "Â", "½</w>"],
            "numbers go one by one"
        );
    }

    #[test]
    fn control_characters_vanish_and_ideographs_stand_alone() {
        let dir = two_files();
        let clip = ClipTokenizer::open(dir.path()).unwrap();
        let text = clip
            .basic_tokenize("a\u{200b}b\u{0}c\u{fffd}\u{2028}中文\u{a0}ΟΔΟΣ e\u{301}")
            .unwrap();
        assert_eq!(text, "abc 中 文 οδος é");
    }

    #[test]
    fn a_special_in_other_letters_is_one_only_where_a_word_begins() {
        let dir = two_files();
        let clip = ClipTokenizer::open(dir.path()).unwrap();
        let eos_count = |prompt| {
            let ids = clip.prompt_ids(prompt).unwrap();
            let end = ids.iter().rposition(|id| *id != clip.eos).unwrap();
            ids[..end].iter().filter(|id| **id == clip.eos).count()
        };
        assert_eq!(eos_count("x<|ENDOFTEXT|>y"), 1);
        assert_eq!(eos_count("x!! <|ENDOFTEXT|>y"), 1);
        assert_eq!(eos_count("x<|EndOfText|><|ENDOFTEXT|>y"), 2);
        assert_eq!(eos_count("x!!<|endoftext|>y"), 1);
        assert_eq!(eos_count("x!!<|ENDOFTEXT|>y"), 0);
        assert_eq!(
            tokens(&clip, "x!!<|ENDOFTEXT|>"),
            tokens(&clip, "x !!<| endoftext |>"),
        );
    }

    #[test]
    fn ids_are_framed_cut_and_padded_to_the_context() {
        let dir = two_files();
        let clip = ClipTokenizer::open(dir.path()).unwrap();
        let empty = clip.prompt_ids("").unwrap();
        assert_eq!(empty[0], clip.bos);
        assert_eq!(empty[1..], [clip.eos; 76]);
        let long = clip.prompt_ids(&"cat ".repeat(100)).unwrap();
        assert_eq!((long.len(), long[75], long[76]), (77, long[1], clip.eos));
        let special = clip.prompt_ids("a<|endoftext|>b").unwrap();
        assert_eq!(
            special[2], clip.eos,
            "a special token in the prompt is one token"
        );

        fs::write(
            dir.path().join("special_tokens_map.json"),
            r#"{"pad_token": {"content": "!"}}"#,
        )
        .unwrap();
        let padded = ClipTokenizer::open(dir.path())
            .unwrap()
            .prompt_ids("")
            .unwrap();
        assert_eq!(padded[2..], [i64::from(vocab()["!"]); 75]);
    }

    #[test]
    fn a_tokenizer_json_gives_the_same_ids() {
        let two = ClipTokenizer::open(two_files().path()).unwrap();
        let pairs: Vec<_> = MERGES
            .iter()
            .map(|merge| merge.split(' ').collect::<Vec<_>>())
            .collect();
        for merges in [json!(MERGES), json!(pairs)] {
            let dir = tempfile::tempdir().unwrap();
            let vocab: serde_json::Map<_, _> = vocab()
                .into_iter()
                .map(|(token, id)| (token, json!(id)))
                .collect();
            let json = json!({ "model": { "vocab": vocab, "merges": merges }, "added_tokens": [] });
            fs::write(dir.path().join("tokenizer.json"), json.to_string()).unwrap();
            let one = ClipTokenizer::open(dir.path()).unwrap();
            assert_eq!(
                one.prompt_ids("the cat's hat").unwrap(),
                two.prompt_ids("the cat's hat").unwrap()
            );
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            ClipTokenizer::open(dir.path()),
            Err(TokenizerError::Missing { .. })
        ));
        fs::write(dir.path().join("vocab.json"), r#"{"a": 0}"#).unwrap();
        fs::write(dir.path().join("merges.txt"), "#version: 0.2\n").unwrap();
        let error = ClipTokenizer::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("<|startoftext|>"), "{error}");
    }
}
