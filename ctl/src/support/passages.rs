//! Words that follow each other in a secret text, found again wherever a few of them are quoted.

use std::collections::{HashSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};

/// So many words in a row are a quotation.
const WORDS: usize = 3;
/// A secret of one word is looked for from this length on: shorter ones are everywhere.
const LONE_WORD_CHARS: usize = 5;

/// Hashes of the passages of all secret texts.
#[derive(Debug, Default)]
pub(super) struct Passages([HashSet<u64>; WORDS]);

/// A word with its place in its text.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    start: usize,
}

impl Passages {
    /// Adds a secret text.
    pub(super) fn learn(&mut self, secret: &str) {
        let words = words(secret);
        if words.len() == 1 && words[0].text.chars().count() < LONE_WORD_CHARS {
            return;
        }
        let length = words.len().min(WORDS);
        if let Some(known) = length.checked_sub(1).and_then(|at| self.0.get_mut(at)) {
            known.extend(words.windows(length).map(hash));
        }
    }

    /// The text with `instead` in the place of each quotation.
    pub(super) fn without(&self, text: &str, instead: &str) -> String {
        let words = words(text);
        let mut is_quoted = vec![false; words.len()];
        for (at, known) in self.0.iter().enumerate() {
            let length = at + 1;
            for (start, window) in words.windows(length).enumerate() {
                if !known.is_empty() && known.contains(&hash(window)) {
                    is_quoted[start..start + length].fill(true);
                }
            }
        }
        let mut left = String::with_capacity(text.len());
        let mut end = 0;
        let mut quoted_before = false;
        for (word, quoted) in words.iter().zip(is_quoted) {
            if !(quoted && quoted_before) {
                left.push_str(&text[end..word.start]);
                left.push_str(if quoted { instead } else { word.text });
            }
            end = word.start + word.text.len();
            quoted_before = quoted;
        }
        left + &text[end..]
    }
}

fn hash(words: &[Word<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for word in words {
        word.text.to_lowercase().hash(&mut hasher);
    }
    hasher.finish()
}

/// Runs of letters and digits; a letter of a script that has no blanks between words is a word.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut is_open = false;
    for (start, letter) in text.char_indices() {
        let end = start + letter.len_utf8();
        let stands_alone = letter >= '\u{2e80}';
        match words.last_mut() {
            Some(word) if is_open && letter.is_alphanumeric() && !stands_alone => {
                word.text = &text[word.start..end];
            }
            _ if letter.is_alphanumeric() || stands_alone => words.push(Word {
                text: &text[start..end],
                start,
            }),
            _ => {}
        }
        is_open = letter.is_alphanumeric() && !stands_alone;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(secret: &str, text: &str) -> String {
        let mut passages = Passages::default();
        passages.learn(secret);
        passages.without(text, "…")
    }

    #[test]
    fn three_words_in_a_row_are_a_quotation_however_they_are_written() {
        let secret = "A portrait of an Astronaut, the camera pans left.";
        for (text, left) in [
            ("not read: \"the camera pans left.\"", "not read: \"….\""),
            ("PORTRAIT of an astronaut!", "…!"),
            ("a portrait of\nan astronaut", "…"),
            ("the camera", "the camera"),
            ("", ""),
        ] {
            assert_eq!(without(secret, text), left);
        }
    }

    #[test]
    fn short_secrets_are_found_whole() {
        assert_eq!(without("two cats", "it shows two cats."), "it shows ….");
        assert_eq!(without("zebra", "a Zebra, striped"), "a …, striped");
        // It would be everywhere.
        assert_eq!(without("oom", "class: oom"), "class: oom");
        assert_eq!(without("", "nothing"), "nothing");
    }

    #[test]
    fn scripts_without_blanks_are_read_too() {
        assert_eq!(without("猫が窓辺で眠る", "省略: 窓辺で眠"), "省略: …");
    }
}
