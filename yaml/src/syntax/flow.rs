//! Mappings and lists in brackets.

use super::{
    colon::second_colon,
    finding::Finding,
    line::{Inside, Line},
    quote::in_quotes,
    scan::Scan,
};
use crate::{Location, comment::comments};

/// Whether a value goes on behind the bracket that closes its first one.
pub(super) fn is_more_than_flow(value: &str) -> bool {
    let Some(end) = Scan::default().closes(value) else {
        return false;
    };
    let rest = value[end..].trim_start();
    !rest.is_empty() && !rest.starts_with('#')
}

/// What is wrong with a value in braces or brackets.
pub(super) fn in_flow(value: &str, value_at: usize) -> Option<Finding<'_>> {
    placeholder(value, value_at).or_else(|| commented(value, value_at))
}

/// `{name}` where a text is meant.
fn placeholder(value: &str, value_at: usize) -> Option<Finding<'_>> {
    let unquoted = |name: &&str| {
        let mut found = value.match_indices(*name).map(|(at, _)| at);
        found.find(|at| is_unquoted(value, *at))
    };
    let at = ["{name}", "{seed}", "{{"].iter().filter_map(unquoted).min();
    let at = at.filter(|at| *at > 0)?;
    let begin = value[..at].rfind([',', ':', '{', '[']);
    let begin = begin.map_or(0, |before| before + 1);
    let begin = begin + (value[begin..].len() - value[begin..].trim_start().len());
    let key = value[..begin].trim_end().trim_end_matches(':');
    let key = key[key.rfind(['{', ',']).map_or(0, |before| before + 1)..].trim();
    let text = value[begin..]
        .replace("{name}", "\u{1}name\u{2}")
        .replace("{seed}", "\u{1}seed\u{2}");
    let text = &text[..text.find([',', '}', ']']).unwrap_or(text.len())];
    let text = text.trim().replace('\u{1}', "{").replace('\u{2}', "}");
    Some(Finding {
        key: Some(key).filter(|key| !key.is_empty()),
        at: value_at + begin,
        what: "`{` begins a mapping".to_owned(),
        hint: in_quotes(key, &text),
    })
}

/// A comment that takes the closing bracket with it.
fn commented(value: &str, value_at: usize) -> Option<Finding<'_>> {
    let end = Scan::default().closes(value);
    let at = comments(value).find(|at| is_unquoted(value, *at))?;
    (end.is_none() && value[at..].contains(['}', ']'])).then(|| Finding {
        key: None,
        at: value_at + at,
        what: "what follows ` #` is a comment, also the brackets in it".to_owned(),
        hint: "put a text with ` #` in it in quotes".to_owned(),
    })
}

/// What is wrong with brackets that began at `began`, where the parser gave up `at`. With the line that it is on.
pub(super) fn in_brackets<'t>(
    lines: &[Line<'t>],
    began: Location,
    at: Location,
) -> Option<(Line<'t>, Finding<'t>)> {
    let first = *lines.get(began.line.checked_sub(1)?)?;
    let bracket = first.byte(began.column);
    let open = first.text[bracket..].chars().next()?;
    let (close, key) = match open {
        '{' => ('}', first.own_entry().map(|entry| entry.key)),
        _ => (']', first.own_entry().map(|entry| entry.key)),
    };
    let found = lines.get(at.line - 1).copied();
    let rest = found.map_or("", |line| &line.text[line.byte(at.column)..]);
    let other = rest.chars().next().filter(|c| matches!(c, '}' | ']'));
    if let (Some(line), Some(other)) = (found, other.filter(|c| *c != close)) {
        return Some((
            line,
            Finding {
                key,
                at: line.byte(at.column),
                what: format!("`{other}` where `{close}` closes what `{open}` began"),
                hint: format!("write `{close}`"),
            },
        ));
    }
    let mut scan = Scan::default();
    let mut values = lines[began.line..].iter().map(|line| line.text);
    let is_closed = scan.closes(&first.text[bracket..]).is_some()
        || values.any(|text| scan.closes(text).is_some());
    let has_next_key = found.is_some_and(|line| {
        line.number > began.line && line.indent() <= first.indent() && line.entry().is_some()
    });
    if !is_closed || has_next_key {
        return Some((
            first,
            Finding {
                key,
                at: bracket,
                what: format!("this `{open}` is never closed"),
                hint: format!(
                    "close it with `{close}`; a text with brackets or commas in it goes in quotes"
                ),
            },
        ));
    }
    let line = found?;
    item(&line, line.byte(at.column)).map(|finding| (line, finding))
}

/// What is wrong with the item of a value in brackets that the parser gave up in.
fn item<'t>(line: &Line<'t>, at: usize) -> Option<Finding<'t>> {
    let begin = line.text[..at]
        .rfind(['{', ',', '['])
        .map_or(line.indent(), |before| before + 1);
    let begin = begin + (line.text[begin..].len() - line.text[begin..].trim_start().len());
    let text = &line.text[begin..];
    let text = &text[..text.find([',', '}', ']']).unwrap_or(text.len())];
    let (key, value) = text.split_once(": ")?;
    let value_at = begin + text.len() - value.len();
    if let Some(colon) = second_colon(value) {
        return Some(Finding {
            key: Some(key),
            at: value_at + colon,
            what: "a colon with a space behind it makes a key".to_owned(),
            hint: in_quotes(key, value.trim()),
        });
    }
    (begin == line.indent() && matches!(line.inside, Inside::Enclosed(_))).then(|| Finding {
        key: Some(key),
        at: begin,
        what: format!("there is no comma before `{key}`"),
        hint: "end each item but the last with a comma".to_owned(),
    })
}

/// Whether no quote is open at this byte.
fn is_unquoted(value: &str, at: usize) -> bool {
    let before = &value[..at];
    ['"', '\'']
        .iter()
        .all(|quote| before.matches(*quote).count().is_multiple_of(2))
}
