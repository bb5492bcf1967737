//! Characters that are not in a text on purpose: those that YAML forbids, and those that nobody sees.

use crate::{Problem, ProblemKind, encoding::end_of};

/// What is wrong with the first character that YAML does not allow.
pub(crate) fn forbidden(text: &str) -> Option<Problem> {
    let (offset, c) = text.char_indices().find(|(_, c)| is_forbidden(*c))?;
    let message = format!("{} is not allowed in YAML", named(c));
    let hint = match c {
        '\0' => "remove it; a file with many of them is damaged, or of another encoding than UTF-8",
        _ => "remove it",
    };
    Some(Problem {
        location: Some(end_of(&text[..offset])),
        ..Problem::new(ProblemKind::Syntax, "", message).hint(hint)
    })
}

fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    }
}

/// The first character of a text that looks like a space or like nothing, and is neither a space nor a tab.
pub(crate) fn invisible(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, c)| is_invisible(*c))
}

/// Whether a character is seen as a space or not at all. Joiners are not among them: some scripts are written with
/// them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{85}' | '\u{1680}' | '\u{2000}'..='\u{200b}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{feff}')
}

/// The same text with spaces for what looks like spaces, and without what looks like nothing.
pub(crate) fn visible(text: &str) -> String {
    let is_wide = |c| {
        matches!(
            c,
            '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
        )
    };
    text.chars()
        .filter(|c| !is_invisible(*c) || is_wide(*c))
        .map(|c| if is_wide(c) { ' ' } else { c })
        .collect()
}

/// A character that can't be shown, in words.
pub(crate) fn named(c: char) -> String {
    let name = match c {
        '\0' => "NUL character",
        '\u{c}' => "form feed",
        '\u{1b}' => "escape character",
        '\u{a0}' => "no-break space",
        '\u{200b}' => "zero-width space",
        '\u{feff}' => "byte order mark",
        '\u{3000}' => "full-width space",
        '\u{85}' | '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        c if c.is_control() => "control character",
        _ => "invisible character",
    };
    let article = match name {
        "escape character" | "invisible character" => "an",
        _ => "a",
    };
    format!("{article} {name} (U+{:04X})", u32::from(c))
}

/// A text for people, with escapes for characters that a terminal would carry out.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
