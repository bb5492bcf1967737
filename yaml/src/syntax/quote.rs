//! Texts in quotes: how one is written, and what is wrong with one.

use super::{
    finding::Finding,
    line::{Inside, Line},
    said::{Met, Said, Within},
    scan::closing,
};
use crate::comment::comments;

/// Longest text that a hint repeats, in characters.
const SHOWN_CHARS: usize = 100;
/// Words that begin with an apostrophe.
const ELISIONS: [&str; 10] = [
    "tis", "twas", "twere", "til", "em", "cause", "round", "n", "bout", "neath",
];

/// A text as YAML has it in quotes, in single ones where double ones would change it; the beginning of a long one.
pub fn quoted(text: &str) -> String {
    let shown: String = match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    if shown.contains(['"', '\\']) {
        format!("'{}'", shown.replace('\'', "''"))
    } else {
        format!("\"{shown}\"")
    }
}

/// What to write for a key whose value needs quotes.
pub(super) fn in_quotes(key: &str, text: &str) -> String {
    let text = quoted(text);
    if key.is_empty() {
        format!("write {text}")
    } else {
        format!("write `{key}: {text}`")
    }
}

/// What a value with wrong quotes was meant to say: without the pair around it, or without the one that is open.
pub(super) fn meant(value: &str) -> &str {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return value;
    };
    let inner = &value[1..];
    let word = inner.split(|c: char| !c.is_alphabetic()).next();
    let word = word.unwrap_or_default().to_lowercase();
    let is_apostrophe = quote == '\'' && ELISIONS.contains(&word.as_str());
    // What is in quotes and goes on behind them, as `"a", "b"`, has them on purpose.
    let behind = closing(value).and_then(|end| value[end..].chars().next());
    let is_spaced = behind.is_some_and(|c| !c.is_alphanumeric());
    match inner.strip_suffix(quote) {
        _ if is_apostrophe || is_spaced => value,
        Some(both) => both,
        None if inner.contains(quote) => value,
        None => inner,
    }
}

/// What is wrong with a value in quotes on this line: the byte of it, and what.
pub(super) fn in_quoted(value: &str, said: &Said) -> Option<(usize, String)> {
    if said.met == Met::WrongEscape && value.starts_with('"') {
        return wrong_escape(value);
    }
    let Some(end) = closing(value) else {
        let never = said.within == Within::Quoted;
        return never.then(|| (0, "this quote is never closed".to_owned()));
    };
    let rest = value[end..].trim_start();
    let is_comment = comments(value).any(|at| value[end..at].trim().is_empty());
    let is_more = !rest.is_empty() && !is_comment;
    is_more.then(|| (end, "text behind the closing quote".to_owned()))
}

/// What is wrong with a text in quotes that goes over several lines, of which `line` is one.
pub(super) fn over_lines<'t>(
    lines: &[Line<'t>],
    line: &Line<'t>,
    said: &Said,
) -> Option<Finding<'t>> {
    let Inside::Enclosed(first) = line.inside else {
        return None;
    };
    if said.met == Met::WrongEscape {
        let (at, what) = wrong_escape(line.text)?;
        let hint = "write two backslashes for one, or put the text in single quotes";
        return Some(Finding {
            key: None,
            at,
            what,
            hint: hint.to_owned(),
        });
    }
    let entry = lines[first - 1].entry()?;
    if !entry.value.starts_with(['"', '\'']) {
        return None;
    }
    let mark = entry.value.chars().next()?;
    let end = line.text.find(mark)? + 1;
    // A key before it: the quote was to begin another text.
    if line.entry().is_some() {
        return None;
    }
    Some(Finding {
        key: None,
        at: end,
        what: format!(
            "text behind the quote that closes the one of `{}` in line {first}",
            entry.key
        ),
        hint: "put the quote behind all of the text, or write the inner ones as single quotes"
            .to_owned(),
    })
}

/// A quote that is closed on a later line, where perhaps another text was to begin.
pub(super) fn open_quote<'t>(line: &Line<'t>) -> Option<Finding<'t>> {
    let entry = line.own_entry()?;
    let is_open = entry.value.starts_with(['"', '\'']) && closing(entry.value).is_none();
    is_open.then(|| Finding {
        key: Some(entry.key),
        at: entry.value_at,
        what: "this quote is not closed on its line".to_owned(),
        hint: in_quotes(entry.key, meant(entry.value)),
    })
}

/// The first backslash that makes no character.
fn wrong_escape(value: &str) -> Option<(usize, String)> {
    let mut rest = value.char_indices();
    while let Some((at, c)) = rest.next() {
        if c != '\\' {
            continue;
        }
        let escape = rest.next().map(|(_, c)| c)?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c if "0abtnvfre \"/\\N_LP\t".contains(c) => 0,
            _ => usize::MAX,
        };
        let hexadecimal = value[at + 1 + escape.len_utf8()..]
            .chars()
            .take(digits)
            .take_while(char::is_ascii_hexdigit);
        if hexadecimal.count() < digits {
            return Some((at, format!("`\\{escape}` is no character in double quotes")));
        }
    }
    None
}
