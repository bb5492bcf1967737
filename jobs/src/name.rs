//! Names of jobs and videos: what people call them, in every script, as file systems take it.

use std::{borrow::Cow, fmt};

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_segmentation::UnicodeSegmentation;

/// Longest name in characters …
pub(crate) const MAX_CHARS: usize = 128;
/// … and in bytes of UTF-8: a video's name has the seed and a suffix behind it, and file systems take 255 bytes.
const MAX_BYTES: usize = 180;

/// Names that Windows keeps for its devices, whatever follows behind a dot.
const DEVICES: [&str; 24] = [
    "con", "prn", "aux", "nul", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7",
    "com8", "com9", "lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InvalidName {
    Empty,
    Long { chars: usize, bytes: usize },
    Forbidden(char),
    Edge,
    Device,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Long { chars, bytes } => write!(
                f,
                "it has {chars} characters and {bytes} bytes; at most {MAX_CHARS} and {MAX_BYTES} are accepted"
            ),
            Self::Forbidden(c) if is_unseen(*c) => {
                write!(f, "it has the invisible character U+{:04X}", u32::from(*c))
            }
            Self::Forbidden(c) => write!(f, "it has `{c}`, which file systems do not take"),
            Self::Edge => f.write_str("it begins with a space, or ends with a space or a dot"),
            Self::Device => f.write_str("Windows keeps it for a device"),
        }
    }
}

/// The same name in the one form of its accents (NFC) that names are compared in.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// A name that somebody wrote as one: composed, and otherwise as it is.
pub(crate) fn written(text: &str) -> Result<String, InvalidName> {
    let name = composed(text);
    let (chars, bytes) = (name.chars().count(), name.len());
    if name.is_empty() {
        return Err(InvalidName::Empty);
    }
    if chars > MAX_CHARS || bytes > MAX_BYTES {
        return Err(InvalidName::Long { chars, bytes });
    }
    // What names could have always.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.chars().all(is_plain) {
        return Ok(name.into_owned());
    }
    if let Some(c) = name.chars().find(|c| is_forbidden(*c) || is_unseen(*c)) {
        return Err(InvalidName::Forbidden(c));
    }
    if name.starts_with(char::is_whitespace)
        || name.ends_with(|c: char| c.is_whitespace() || c == '.')
    {
        return Err(InvalidName::Edge);
    }
    if is_device(&name) {
        return Err(InvalidName::Device);
    }
    Ok(name.into_owned())
}

/// A name that a file's stem makes: what no file system takes is replaced; `or` if nothing is left.
pub(crate) fn from_stem(stem: &str, or: &str) -> String {
    let name = clean(stem);
    let end = name
        .char_indices()
        .nth(MAX_CHARS)
        .map_or(name.len(), |(at, _)| at);
    let name = trimmed(cut(&name, end.min(MAX_BYTES)));
    match name {
        "" => or.to_owned(),
        name => spared(name),
    }
}

/// The text composed, with `_` for what file systems do not take, and without what nobody sees.
pub(crate) fn clean(text: &str) -> String {
    let chars = text.nfc().filter(|c| !is_unseen(*c) || is_direction(*c));
    chars
        .map(|c| match c {
            c if is_forbidden(c) || is_direction(c) => '_',
            // Of many widths, and all of them a space.
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect()
}

/// Without what Windows drops at the end, and what hides a file or is not seen at its beginning.
pub(crate) fn trimmed(name: &str) -> &str {
    name.trim_matches(|c: char| c == '.' || c.is_whitespace())
}

/// The beginning of a text with at most so many bytes, cut between what people see as characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let ends = text.grapheme_indices(true).map(|(at, _)| at);
    let end = ends.take_while(|at| *at <= bytes).last().unwrap_or(0);
    &text[..end]
}

/// Another name for one that Windows keeps.
pub(crate) fn spared(name: &str) -> String {
    if is_device(name) {
        format!("_{name}")
    } else {
        name.to_owned()
    }
}

/// A file's name on one line, for people: what is not seen, or changes what follows, is shown by its number.
pub fn on_one_line(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            c if c.is_control() => shown.extend(c.escape_default()),
            c if is_unseen(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                shown.extend(c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown
}

fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or(name)
        .trim_end()
        .to_ascii_lowercase();
    // `COM¹` is a device, too.
    let stem = stem.replace('¹', "1").replace('²', "2").replace('³', "3");
    DEVICES.contains(&stem.as_str()) || matches!(stem.as_str(), "conin$" | "conout$")
}

fn is_forbidden(c: char) -> bool {
    matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffd}')
}

/// Characters that change the direction of all that follows, also of what is not theirs.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that are not seen: two names that differ in them would look the same. The joiners U+200C and U+200D are
/// none of them, as Persian, Hindi and emoji are written with them.
fn is_unseen(c: char) -> bool {
    is_direction(c)
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_keeps_every_script_and_loses_what_file_systems_forbid() {
        for (stem, expected) in [
            ("cat", "cat"),
            ("shot-042_v1.2", "shot-042_v1.2"),
            ("猫が跳ぶ", "猫が跳ぶ"),
            ("Кошка прыгает", "Кошка прыгает"),
            ("القطة تقفز", "القطة تقفز"),
            ("बिल्ली कूदती है", "बिल्ली कूदती है"),
            ("แมวกระโดด", "แมวกระโดด"),
            ("고양이", "고양이"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            (
                "family 👨\u{200d}👩\u{200d}👧 🇯🇵",
                "family 👨\u{200d}👩\u{200d}👧 🇯🇵",
            ),
            // Decomposed, as macOS writes it.
            ("O\u{308}lbild ga\u{302}teau", "Ölbild gâteau"),
            ("が\u{3099}", "が\u{3099}"),
            ("cat (1)", "cat (1)"),
            ("it's, really!", "it's, really!"),
            ("a:b*c?d\"e<f>g|h\\i", "a_b_c_d_e_f_g_h_i"),
            ("a\nb\tc", "a_b_c"),
            (" .cat. ", "cat"),
            ("full\u{3000}width\u{a0}space", "full width space"),
            ("evil\u{202e}gnp", "evil_gnp"),
            ("ab\u{200b}c\u{feff}\u{200f}", "abc"),
            ("a\u{3164}b\u{2800}c\u{e0041}", "abc"),
            ("bad\u{fffd}byte", "bad_byte"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("Com1 .x", "_Com1 .x"),
            ("lpt²", "_lpt²"),
            ("console", "console"),
            ("", "job"),
            (" .. ", "job"),
        ] {
            assert_eq!(from_stem(stem, "job"), expected, "{stem:?}");
        }
    }

    #[test]
    fn names_are_cut_between_characters_as_people_see_them() {
        assert_eq!(from_stem(&"x".repeat(200), "job"), "x".repeat(128));
        assert_eq!(from_stem(&"猫".repeat(100), "job"), "猫".repeat(60));
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(from_stem(&family.repeat(11), "job"), family.repeat(10));
        let hindi = from_stem(&"कि".repeat(70), "job");
        assert_eq!(hindi, "कि".repeat(30));
        let spaced = format!("{} {}", "x".repeat(127), "y");
        assert_eq!(from_stem(&spaced, "job"), "x".repeat(127));
    }

    #[test]
    fn what_is_not_seen_in_a_name_is_shown_by_its_number() {
        for (name, expected) in [
            ("it's \"बिल्ली\".yaml", "it's \"बिल्ली\".yaml"),
            ("👨\u{200d}👩.yaml", "👨\u{200d}👩.yaml"),
            ("a\nb\u{1b}.yaml", "a\\nb\\u{1b}.yaml"),
            ("a\u{202e}lmay.exe", "a\\u{202e}lmay.exe"),
        ] {
            assert_eq!(on_one_line(name), expected);
        }
    }

    #[test]
    fn a_name_that_somebody_wrote_is_taken_as_it_is_or_not_at_all() {
        for name in [
            "cat",
            "-a.",
            "CON",
            "猫が跳ぶ",
            "my cat",
            "it's (2)",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(written(name).as_deref(), Ok(name));
        }
        assert_eq!(written("O\u{308}l").as_deref(), Ok("Öl"));
        for (name, expected) in [
            ("", "it is empty"),
            ("a/b", "it has `/`, which file systems do not take"),
            ("a\u{202e}b", "it has the invisible character U+202E"),
            ("a\u{200b}b", "it has the invisible character U+200B"),
            (
                " a",
                "it begins with a space, or ends with a space or a dot",
            ),
            (
                "ä.",
                "it begins with a space, or ends with a space or a dot",
            ),
            ("con .ä", "Windows keeps it for a device"),
        ] {
            assert_eq!(written(name).unwrap_err().to_string(), expected);
        }
        let long = written(&"猫".repeat(61)).unwrap_err().to_string();
        let expected = "it has 61 characters and 183 bytes; at most 128 and 180 are accepted";
        assert_eq!(long, expected);
    }
}
