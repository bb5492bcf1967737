//! What is wrong on a line that the parser does not understand, and what to write instead.

use super::{
    line::{Entry, Line, is_block_header},
    quote::{closing, in_quotes, meant},
};
use crate::characters::{invisible, named, visible};

/// Something on a line that is not as it must be.
#[derive(Debug)]
pub(super) struct Finding<'t> {
    /// The key, where the line has one.
    pub(super) key: Option<&'t str>,
    /// Where, in bytes of the line.
    pub(super) at: usize,
    pub(super) what: String,
    pub(super) hint: String,
}

/// What is wrong on this line, if anything is. `below`: the next line that is not empty. `said`: the parser's words.
pub(super) fn find<'t>(
    line: &Line<'t>,
    below: Option<&Line<'_>>,
    said: &str,
) -> Option<Finding<'t>> {
    indentation(line).or_else(|| {
        if line.is_blank() || line.is_block_text {
            return None;
        }
        let Some(entry) = line.entry() else {
            return colon(line, line.text.trim(), "", line.indent())
                .or_else(|| in_flow(line, line.text, 0));
        };
        if let Some(finding) = colon(line, entry.key, entry.value, entry.key_at) {
            return Some(finding);
        }
        if entry.value.starts_with(['{', '['])
            && let Some(finding) = in_flow(line, entry.value, entry.value_at)
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
    })
}

/// Tabs, and what looks like a space, before a line's text.
fn indentation<'t>(line: &Line<'t>) -> Option<Finding<'t>> {
    let text = line.text;
    let space = text.len() - text.trim_start().len();
    let finding = |at, what: String, with: &str| {
        let hint = match text.trim() {
            "" => "remove it".to_owned(),
            _ => format!("write {with} instead"),
        };
        Some(Finding {
            key: None,
            at,
            what,
            hint,
        })
    };
    if let Some(at) = text[..space].find('\t') {
        let what = "a tab; lines are indented with spaces only".to_owned();
        return finding(at, what, "two spaces");
    }
    let (at, c) = invisible(text)?;
    let is_before_text = text[..at].trim().is_empty();
    is_before_text
        .then(|| {
            finding(
                at,
                format!("{} before the text", named(c)),
                "a space, or nothing,",
            )
        })
        .flatten()
}

/// A colon that is none, as it is of another script, or has no space behind it.
fn colon<'t>(line: &Line<'t>, text: &'t str, value: &str, at: usize) -> Option<Finding<'t>> {
    let (name, rest) = text.split_once([':', '：', '=', '﹕'])?;
    let key = name.trim();
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let separator = text[name.len()..].chars().next()?;
    if !is_key || (separator == '=' && !value.is_empty()) {
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

/// What is wrong with a value in braces or brackets.
fn in_flow<'t>(line: &Line<'t>, value: &'t str, value_at: usize) -> Option<Finding<'t>> {
    let first = value.trim_start();
    if !first.starts_with(['{', '[', '}', ']']) && value_at == 0 {
        return None;
    }
    let skipped = ["{name}", "{seed}"];
    let placeholder = skipped
        .iter()
        .filter_map(|name| {
            value
                .match_indices(name)
                .map(|(at, _)| at)
                .find(|at| is_unquoted(value, *at))
        })
        .min();
    if let Some(at) = placeholder.filter(|at| *at > 0) {
        let begin = value[..at]
            .rfind([',', ':', '{', '['])
            .map_or(0, |before| before + 1);
        let begin = begin + (value[begin..].len() - value[begin..].trim_start().len());
        let key = value[..begin].trim_end().trim_end_matches(':');
        let key = &key[key.rfind(['{', ',']).map_or(0, |before| before + 1)..];
        let text = value[begin..]
            .replace("{name}", "\u{1}name\u{2}")
            .replace("{seed}", "\u{1}seed\u{2}");
        let text = &text[..text.find([',', '}', ']']).unwrap_or(text.len())];
        let text = text.trim().replace('\u{1}', "{").replace('\u{2}', "}");
        return Some(Finding {
            key: Some(key.trim()).filter(|key| !key.is_empty()),
            at: value_at + begin,
            what: "`{` begins a mapping".to_owned(),
            hint: in_quotes(key.trim(), &text),
        });
    }
    let comment = value
        .match_indices(" #")
        .map(|(at, _)| at)
        .find(|at| is_unquoted(value, *at))?;
    Some(Finding {
        key: None,
        at: value_at + comment + 1,
        what: "what follows ` #` is a comment, also the brackets in it".to_owned(),
        hint: "put a text with ` #` in it in quotes".to_owned(),
    })
    .filter(|_| value[comment..].contains(['}', ']']))
    .filter(|finding| finding.at < line.text.len())
}

/// Whether no quote is open at this byte.
fn is_unquoted(value: &str, at: usize) -> bool {
    let before = &value[..at];
    ['"', '\'']
        .iter()
        .all(|quote| before.matches(*quote).count().is_multiple_of(2))
}

/// Where in a value, and what.
fn in_value(value: &str, is_continued: bool, said: &str) -> Option<(usize, String)> {
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
        '[' => is_more_than_flow(value, ']')
            .then(|| begins("begins a list"))
            .flatten(),
        '{' => is_more_than_flow(value, '}')
            .then(|| begins("begins a mapping"))
            .flatten(),
        '-' if second == Some(' ') => begins("makes a list"),
        '?' if second == Some(' ') => begins("makes a key"),
        '|' | '>' => None,
        _ => in_plain(value, is_continued),
    }
}

fn in_quoted(value: &str, said: &str) -> Option<(usize, String)> {
    let is_double = value.starts_with('"');
    match closing(value) {
        _ if is_double && said.contains("quoted scalar") && !said.contains("end of stream") => {
            let at = wrong_escape(value)?;
            let escape: String = value[at..].chars().take(2).collect();
            Some((at, format!("`{escape}` is no character in double quotes")))
        }
        None => said
            .contains("quoted scalar")
            .then(|| (0, "this quote is never closed".to_owned())),
        Some(end) => {
            let rest = value[end..].trim_start();
            let is_comment = rest.starts_with('#') && value[end..].starts_with([' ', '\t']);
            let is_more = !rest.is_empty() && !is_comment;
            is_more.then(|| (end, "text behind the closing quote".to_owned()))
        }
    }
}

/// The first backslash that makes no character.
fn wrong_escape(value: &str) -> Option<usize> {
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
            _ => return Some(at),
        };
        let hexadecimal = value[at + 2..]
            .chars()
            .take(digits)
            .filter(char::is_ascii_hexdigit);
        if hexadecimal.count() < digits {
            return Some(at);
        }
    }
    None
}

/// Whether a value goes on behind the bracket that closes its first one.
fn is_more_than_flow(value: &str, close: char) -> bool {
    let open = value.chars().next().unwrap_or_default();
    let mut depth = 0_usize;
    for (at, c) in value.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                let rest = value[at + c.len_utf8()..].trim_start();
                return !rest.is_empty() && !rest.starts_with('#');
            }
        }
    }
    false
}

fn in_plain(value: &str, is_continued: bool) -> Option<(usize, String)> {
    let comment = value.find(" #");
    let text = &value[..comment.unwrap_or(value.len())];
    let colon = text.match_indices(':').map(|(at, _)| at).find(|at| {
        let behind = text[at + 1..].chars().next();
        behind.is_none_or(|c| matches!(c, ' ' | '\t'))
    });
    if let Some(at) = colon {
        return Some((at, "a colon with a space behind it makes a key".to_owned()));
    }
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let c = text[at..].chars().next().unwrap_or_default();
        return Some((at, format!("{} ends the line", named(c))));
    }
    let at = comment.filter(|_| is_continued)? + 1;
    Some((
        at,
        "what follows ` #` is a comment, and the text ends there".to_owned(),
    ))
}

/// A quote that is closed on a later line, where perhaps another text was to begin.
pub(super) fn open_quote<'t>(line: &Line<'t>) -> Option<Finding<'t>> {
    let entry = line.entry().filter(|_| !line.is_block_text)?;
    let is_open = entry.value.starts_with(['"', '\'']) && closing(entry.value).is_none();
    is_open.then(|| Finding {
        key: Some(entry.key),
        at: entry.value_at,
        what: "this quote is not closed on its line".to_owned(),
        hint: in_quotes(entry.key, meant(entry.value)),
    })
}

/// Where the key of this entry is, for a line that is indented too far or too little.
pub(super) fn misplaced<'t>(line: &Line<'t>, above: &Line<'_>) -> Option<Finding<'t>> {
    let (entry, parent) = (line.entry()?, above.entry()?);
    let Entry { key, key_at, .. } = entry;
    if line.indent() <= above.indent() || parent.value.is_empty() {
        return None;
    }
    let column = above.column(parent.key_at);
    Some(Finding {
        key: Some(key),
        at: key_at,
        what: format!(
            "it is indented further than `{}` above it, so it reads as more of that text",
            parent.key
        ),
        hint: format!("begin `{key}` in column {column}, or put the whole text in quotes"),
    })
}
