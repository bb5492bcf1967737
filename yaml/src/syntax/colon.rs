//! Keys and their colons.

use super::{
    finding::Finding,
    line::{Entry, Line},
    quote::{in_quotes, quoted},
};
use crate::{
    characters::{invisible, named, visible},
    comment::without_comment,
};

/// A colon that is none, as it is of another script, or has no space behind it.
pub(super) fn no_colon<'t>(
    line: &Line<'t>,
    text: &'t str,
    value: &str,
    at: usize,
) -> Option<Finding<'t>> {
    let (name, rest) = text.split_once([':', '：', '=', '﹕'])?;
    let key = name.trim();
    let separator = text[name.len()..].chars().next()?;
    if !is_word(key) || (separator == '=' && !value.is_empty()) {
        return None;
    }
    let what = match separator {
        ':' => match invisible(rest) {
            Some((0, c)) => format!("{} behind the colon, where a space must be", named(c)),
            _ => "no space behind the colon".to_owned(),
        },
        '=' => "`=` where a colon must be".to_owned(),
        wide => format!("`{wide}` is not the colon that YAML reads"),
    };
    let meant = if value.is_empty() {
        rest.to_owned()
    } else {
        format!("{rest}: {value}")
    };
    let meant = visible(&meant).trim().to_owned();
    let hint = if meant.contains(": ") {
        in_quotes(key, &meant)
    } else {
        format!("write `{key}: {meant}`")
    };
    Some(Finding {
        key: Some(&line.text[at..at + name.trim_end().len()]),
        at: at + name.len(),
        what,
        hint,
    })
}

/// A key in marks of Markdown or of a mail, or none at all.
pub(super) fn marked<'t>(line: &Line<'t>) -> Option<Finding<'t>> {
    let Entry {
        key, value, key_at, ..
    } = line.own_entry()?;
    if key.is_empty() {
        return Some(Finding {
            key: None,
            at: key_at,
            what: "there is no key before the colon".to_owned(),
            hint: format!("write one, as in `prompt: {value}`, or remove the line"),
        });
    }
    let bare = key.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
    if bare == key || !is_word(bare) {
        return None;
    }
    Some(Finding {
        key: None,
        at: key_at,
        what: format!("`{key}` is no key"),
        hint: format!("write `{bare}: {value}`"),
    })
}

/// A line without a colon where a key must be.
pub(super) fn without_colon<'t>(line: &Line<'t>) -> Finding<'t> {
    let text = line.text.trim();
    let hint = match text.split_once(' ') {
        Some((key, value)) if !value.trim().contains(' ') => {
            format!(
                "write `{key}: {}`; a line that goes on with the text above is indented",
                value.trim()
            )
        }
        _ => "indent it if it goes on with the text above; a key has a colon and a space behind it"
            .to_owned(),
    };
    Finding {
        key: None,
        at: line.indent(),
        what: "the line has no colon, so it is no key".to_owned(),
        hint,
    }
}

/// The byte of a colon in a value that makes a key of what precedes it.
pub(super) fn second_colon(value: &str) -> Option<usize> {
    let text = without_comment(value);
    text.match_indices(':').map(|(at, _)| at).find(|at| {
        let behind = text[at + 1..].chars().next();
        behind.is_none_or(|c| matches!(c, ' ' | '\t'))
    })
}

/// What to write for a value with a colon in it where a key below the key is meant, as in `length: seconds: 5`.
pub(super) fn below(line: &Line<'_>, at: usize) -> Option<String> {
    let Entry {
        key,
        value,
        value_at,
        ..
    } = line.entry()?;
    if second_colon(value).map(|colon| value_at + colon) != Some(at) {
        return None;
    }
    let (inner, below) = without_comment(value).split_once(": ")?;
    let below = below.trim();
    let is_enclosed = below.starts_with(['"', '\'']);
    let below = if !is_enclosed && below.contains([',', '{', '}', '[', ']', ':', '#']) {
        quoted(below)
    } else {
        below.to_owned()
    };
    is_word(inner).then(|| format!("write `{key}: {{{inner}: {below}}}`"))
}

/// Whether this could be a key.
fn is_word(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
