//! JSON as YAML: a character that JSON writes as two escapes is one in YAML.

use serde::de::IgnoredAny;

/// The same JSON with every pair of surrogates (`\ud83d\ude00`, as programs write an emoji) as YAML has it (`\U0001F600`);
/// `None` where the text is not JSON or has none. Such a text behind it on its line is two columns nearer to its begin.
pub(crate) fn with_whole_characters(text: &str) -> Option<String> {
    let has_escapes = text.contains("\\ud") || text.contains("\\uD");
    if !has_escapes || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    // Only strings have backslashes in JSON.
    while let Some(at) = rest.find('\\') {
        whole += &rest[..at];
        rest = &rest[at..];
        let length = if let Some(character) = character(rest) {
            whole += &escaped(character);
            PAIR_LENGTH
        } else {
            whole += &rest[..ESCAPE_LENGTH]; // JSON's escapes are ASCII
            ESCAPE_LENGTH
        };
        rest = &rest[length..];
    }
    Some(whole + rest)
}

/// Bytes of `\ud83d\ude00`.
const PAIR_LENGTH: usize = 12;
/// Bytes of a backslash and what it escapes; the digits of a number may follow.
const ESCAPE_LENGTH: usize = 2;

/// The character that a pair of escapes makes, with which the text begins.
fn character(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units = [unit(0)?, unit(PAIR_LENGTH / 2)?];
    let mut characters = char::decode_utf16(units);
    let first = characters.next()?.ok()?;
    characters.next().is_none().then_some(first)
}

/// In YAML's words.
fn escaped(character: char) -> String {
    format!("\\U{:08X}", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_characters() {
        for (json, expected) in [
            (r#"{"a": "\ud83d\ude00"}"#, r#"{"a": "\U0001F600"}"#),
            (
                r#"{"\uD83D\uDE00": ["\n\ud83d\ude00x", "\u00e9"]}"#,
                r#"{"\U0001F600": ["\n\U0001F600x", "\u00e9"]}"#,
            ),
        ] {
            assert_eq!(with_whole_characters(json).unwrap(), expected);
        }
        // A backslash that is escaped itself escapes nothing.
        let escaped = r#"{"a": "\\ud83d\\ude00"}"#;
        assert_eq!(with_whole_characters(escaped).as_deref(), Some(escaped));
    }

    #[test]
    fn a_file_of_json_has_the_character() {
        let root = crate::parse(r#"{"prompt": "a cat \ud83d\ude00"}"#).unwrap();
        let expected = crate::parse("prompt: a cat 😀").unwrap();
        let text = |node: &crate::Node| format!("{node:?}").contains("a cat 😀");
        assert!(text(&root) && text(&expected), "{root:?}");
    }

    #[test]
    fn what_is_no_json_stays() {
        for text in [
            r"a: \ud83d\ude00",
            r#"a: "\ud83d\ude00""#,
            r#"{"a": "é"}"#,
            "",
        ] {
            assert_eq!(with_whole_characters(text), None, "{text}");
        }
    }
}
