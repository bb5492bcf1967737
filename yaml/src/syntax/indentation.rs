//! Lines that begin in the wrong column, or with something else than spaces.

use super::{
    finding::Finding,
    line::{Entry, Inside, Line},
};
use crate::{
    characters::{invisible, named},
    comment::comments,
};

/// Tabs, and what looks like a space, before a line's text.
pub(super) fn no_spaces<'t>(line: &Line<'t>) -> Option<Finding<'t>> {
    let text = line.text;
    let space = &text[..text.len() - text.trim_start().len()];
    let finding = |at, what: String, hint: &str| {
        let hint = if text.trim().is_empty() {
            "remove it"
        } else {
            hint
        };
        Finding {
            key: None,
            at,
            what,
            hint: hint.to_owned(),
        }
    };
    if let Some(at) = space.find('\t') {
        let what = "a tab; lines are indented with spaces only".to_owned();
        return Some(finding(at, what, "write two spaces instead"));
    }
    let (at, c) = invisible(text).filter(|(at, _)| text[..*at].trim().is_empty())?;
    let what = format!("{} before the text", named(c));
    Some(finding(at, what, "indent with ordinary spaces"))
}

/// A key in a column in which it can't be. `above`: the lines above it. `at`: where the parser gave up.
pub(super) fn misplaced<'t>(
    line: &Line<'t>,
    above: &[Line<'t>],
    column: usize,
) -> Option<Finding<'t>> {
    let Entry {
        key,
        key_at,
        colon_at,
        ..
    } = line.own_entry()?;
    let is_meant = [key_at, colon_at, line.indent()].map(|at| line.column(at));
    if !is_meant.contains(&column) {
        return None;
    }
    let parents = parents(line, above);
    let nearest = above.iter().rfind(|line| line.own_entry().is_some())?;
    let parent = nearest.own_entry()?;
    let finding = |what: String, hint: String| {
        Some(Finding {
            key: None,
            at: key_at,
            what,
            hint,
        })
    };
    let is_below_value = key_at > parent.key_at && !parent.value.is_empty();
    let is_block_text = super::is_block_header(parent.value);
    if is_below_value && !is_block_text {
        let reads = if parent.value.starts_with(['"', '\'', '{', '[']) {
            "which has a value already"
        } else {
            "so it reads as more of that text"
        };
        let and = if reads.starts_with("so") {
            ", or put the whole text in quotes"
        } else {
            ""
        };
        return finding(
            format!(
                "it is indented further than `{}` above it, {reads}",
                parent.key
            ),
            format!(
                "begin `{key}` in column {}{and}",
                nearest.column(parent.key_at)
            ),
        );
    }
    let is_further_left = parents.iter().all(|(_, at)| *at > key_at);
    if is_further_left || parents.iter().any(|(_, at)| *at == key_at) {
        return None;
    }
    let mut columns: Vec<String> = parents
        .iter()
        .map(|(key, at)| format!("in column {}, as `{key}`", at + 1))
        .collect();
    if is_block_text {
        columns.push("as far to the right as the text above it".to_owned());
    }
    finding(
        "it begins in a column of its own, so it belongs to none of the keys above".to_owned(),
        format!("begin `{key}` {}", columns.join(", or ")),
    )
}

/// The keys above a line that a key on it could stand below or beside, from the nearest on, with their columns.
fn parents<'t>(line: &Line<'t>, above: &[Line<'t>]) -> Vec<(&'t str, usize)> {
    let mut parents: Vec<(&str, usize)> = Vec::new();
    for above in above.iter().rev().take(line.number) {
        if let Some(entry) = above.own_entry()
            && parents.last().is_none_or(|(_, at)| entry.key_at < *at)
        {
            parents.push((entry.key, entry.key_at));
        }
    }
    parents
}

/// Keys that a line is below, from the outermost on.
pub(super) fn path_above(line: &Line<'_>, lines: &[Line<'_>]) -> String {
    let mut indent = line.own_entry().map_or(line.indent(), |entry| entry.key_at);
    let mut path = Vec::new();
    for above in lines[..line.number - 1].iter().rev() {
        if let Some(entry) = above.own_entry()
            && entry.key_at < indent
        {
            indent = entry.key_at;
            path.insert(0, entry.key);
        }
    }
    path.join(".")
}

/// A comment on the line above that ends the text which this line was to go on with.
pub(super) fn ended_by_comment<'t>(
    line: &Line<'t>,
    above: &[Line<'t>],
) -> Option<(Line<'t>, Finding<'t>)> {
    let before = above.iter().rfind(|line| !line.text.trim().is_empty())?;
    let first = above.iter().rfind(|line| line.own_entry().is_some())?;
    let entry = first.own_entry()?;
    let is_text = !entry.value.starts_with(['"', '\'', '{', '[', '|', '>']);
    if !is_text || line.indent() <= first.indent() || line.own_entry().is_some() {
        return None;
    }
    let at = if before.is_blank() {
        before.indent()
    } else {
        comments(before.text).next()?
    };
    let whole = above[first.number..]
        .iter()
        .chain([line])
        .fold(entry.value.to_owned(), |text, line| {
            format!("{text} {}", line.text.trim())
        });
    let hint = super::quote::in_quotes(entry.key, whole.trim());
    let finding = Finding {
        key: Some(entry.key),
        at,
        what: "what follows ` #` is a comment, and the text ends there".to_owned(),
        hint: if before.is_blank() {
            format!("remove the comment, or {hint}")
        } else {
            hint
        },
    };
    Some((*before, finding))
}

/// A dash among keys.
pub(super) fn list_item<'t>(line: &Line<'t>, column: usize) -> Option<Finding<'t>> {
    let at = line.indent();
    let rest = line.text[at..].strip_prefix('-')?;
    if line.inside != Inside::Nothing
        || line.column(at) != column
        || !(rest.is_empty() || rest.starts_with(' '))
    {
        return None;
    }
    let hint = match line.own_entry() {
        Some(_) => format!("write `{}`", rest.trim()),
        None => "write it below the key that it belongs to, or remove it".to_owned(),
    };
    Some(Finding {
        key: None,
        at,
        what: "the dash begins an item of a list, among keys".to_owned(),
        hint,
    })
}
