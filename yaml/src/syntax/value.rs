//! Values that YAML reads otherwise than they look.

use super::{
    colon::{marked, no_colon, second_colon},
    finding::Finding,
    flow::{in_flow, is_more_than_flow},
    line::{Inside, Line, is_block_header},
    quote::{in_quoted, in_quotes, meant},
    said::Said,
};
use crate::{
    characters::{named, visible},
    comment::comments,
};

/// What is wrong on this line, if anything is. `below`: the next line that is not empty.
pub(super) fn find<'t>(
    line: &Line<'t>,
    below: Option<&Line<'_>>,
    said: &Said,
) -> Option<Finding<'t>> {
    if line.is_blank() || line.inside == Inside::BlockText {
        return None;
    }
    let Some(entry) = line.entry() else {
        let text = line.text.trim();
        let finding = no_colon(line, text, "", line.indent());
        return finding.or_else(|| {
            let is_flow = text.starts_with(['{', '[', '}', ']']);
            is_flow.then(|| in_flow(line.text, 0)).flatten()
        });
    };
    if let Some(finding) =
        no_colon(line, entry.key, entry.value, entry.key_at).or_else(|| marked(line))
    {
        return Some(finding);
    }
    if entry.value.starts_with(['{', '['])
        && let Some(finding) = in_flow(entry.value, entry.value_at)
    {
        return Some(finding);
    }
    let is_continued = below.is_some_and(|below| below.indent() > line.indent());
    let (at, what) = in_value(entry.value, is_continued, said)?;
    let hint = in_quotes(entry.key, visible(meant(entry.value)).trim());
    Some(Finding {
        key: Some(entry.key),
        at: entry.value_at + at,
        what,
        hint,
    })
}

/// Where in a value, and what.
fn in_value(value: &str, is_continued: bool, said: &Said) -> Option<(usize, String)> {
    let first = value.chars().next()?;
    let second = value[first.len_utf8()..].chars().next();
    let begins = |does: &str| match first {
        '`' => Some((0, format!("a backquote at the beginning of a value {does}"))),
        first => Some((0, format!("`{first}` at the beginning of a value {does}"))),
    };
    match first {
        '"' | '\'' => in_quoted(value, said),
        '*' => begins("refers to an anchor"),
        '&' => begins("names an anchor"),
        '!' => begins("is a tag"),
        '@' | '`' | '%' | ',' | ']' | '}' => begins("is not allowed"),
        '|' | '>' if !is_block_header(value) => begins("announces lines of text below it"),
        '[' if is_more_than_flow(value) => begins("begins a list"),
        '{' if is_more_than_flow(value) => begins("begins a mapping"),
        '-' if second == Some(' ') => begins("makes a list"),
        '?' if second == Some(' ') => begins("makes a key"),
        '|' | '>' | '[' | '{' => None,
        _ => in_plain(value, is_continued),
    }
}

fn in_plain(value: &str, is_continued: bool) -> Option<(usize, String)> {
    if let Some(at) = second_colon(value) {
        return Some((at, "a colon with a space behind it makes a key".to_owned()));
    }
    let comment = comments(value).next();
    let text = &value[..comment.unwrap_or(value.len())];
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let c = text[at..].chars().next().unwrap_or_default();
        return Some((at, format!("{} ends the line", named(c))));
    }
    let at = comment.filter(|_| is_continued)?;
    Some((
        at,
        "what follows ` #` is a comment, and the text ends there".to_owned(),
    ))
}
