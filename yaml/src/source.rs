//! A value as it is written in the file: what the tree of values does not tell.

use std::borrow::Cow;

use crate::{
    Location, Node, Place,
    comment::without_comment,
    encoding::without_mark,
    locate,
    syntax::{is_block_header, quoted},
};

/// Longest part of a comment that is repeated, in characters.
const SHOWN_CHARS: usize = 60;

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'t> {
    /// Where it begins; of nothing, where its key does.
    pub location: Location,
    /// In which way.
    pub style: Style,
    /// A name before it, as in `&name text`, which is no part of the value.
    pub anchor: Option<&'t str>,
    /// The comment behind it on its line, with its `#`.
    pub comment: Option<&'t str>,
}

/// The way in which a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Not at all: there is nothing behind the key.
    Nothing,
    /// Without quotes.
    Plain,
    /// In quotes, as lines of text, or in brackets.
    Enclosed,
}

impl Written<'_> {
    /// Why there is nothing behind a key that is left empty.
    pub fn because(&self) -> String {
        match (self.comment, self.anchor) {
            (Some(comment), _) => {
                let comment = shortened(comment);
                format!("there is nothing in it, as `{comment}` is a comment")
            }
            (None, Some(anchor)) => {
                format!("there is nothing in it, as `{anchor}` only names an anchor")
            }
            (None, None) => "there is nothing in it".to_owned(),
        }
    }

    /// What to write behind the key at `path` if the comment, or the anchor's name, is the text.
    pub fn in_quotes(&self, path: &str) -> Option<String> {
        let key = path.rsplit('.').next().unwrap_or(path);
        let text = self.comment.or(self.anchor)?;
        let text = quoted(text);
        Some(format!("write `{key}: {text}` if that is the text"))
    }

    /// What to tell of a key at `path` that is left empty, and means its default. `instead`: what else to write.
    pub fn left_empty(&self, path: &str, instead: Option<String>) -> String {
        let because = self.because();
        let instead = instead.unwrap_or_else(|| "write a value".to_owned());
        format!("{path}: {because}, so the default is used; remove the key, or {instead}")
    }

    /// Whether the comment begins as a text does: with something directly behind its `#`.
    pub fn is_comment_like_text(&self) -> bool {
        let behind = self.comment.and_then(|comment| comment.chars().nth(1));
        behind.is_some_and(|c| !c.is_whitespace() && c != '#')
    }
}

/// The beginning of a long comment.
pub fn shortened(comment: &str) -> Cow<'_, str> {
    match comment.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &comment[..end]).into(),
        None => comment.into(),
    }
}

/// How the value `node` at `path` is written in `text`.
pub fn written<'t>(text: &'t str, path: &str, node: &Node) -> Option<Written<'t>> {
    let text = without_mark(text);
    let place = match node {
        Node::Null => Place::Key,
        _ => Place::Value,
    };
    let key = locate(text, path, Place::Key)?;
    let location = locate(text, path, place)?;
    if (location.line, location.column) < (key.line, key.column) {
        // An alias: its anchor's value is not written here.
        return Some(Written {
            location: key,
            style: Style::Enclosed,
            anchor: None,
            comment: None,
        });
    }
    let mut rest = &text[offset(text, location)?..];
    if *node == Node::Null {
        rest = behind_key(rest)?;
    }
    let mut anchor = None;
    if let Some(named) = rest.strip_prefix('&') {
        let end = named
            .find(|c: char| c.is_whitespace())
            .unwrap_or(named.len());
        anchor = Some(&rest[..=end]);
        rest = named[end..].trim_start();
    }
    let (style, comment) = match node {
        Node::Null if is_null(rest) => (Style::Plain, None),
        Node::Null => (Style::Nothing, comment(rest, anchor.is_none())),
        Node::Text(value) if !is_enclosed(rest) => {
            (Style::Plain, comment(behind_plain(rest, value)?, false))
        }
        Node::List(_) | Node::Map(_) | Node::Text(_) => (Style::Enclosed, None),
        Node::Bool(_) | Node::Int(_) | Node::Float(_) => (Style::Plain, None),
    };
    Some(Written {
        location,
        style,
        anchor,
        comment,
    })
}

/// A value that was to be text and was read as something else, as it is written on its line.
pub(crate) fn as_written(text: &str, location: Location) -> Option<&str> {
    let text = without_mark(text);
    let at = offset(text, location)?;
    let line = text[at..].split(['\n', '\r']).next()?;
    let line = without_comment(line);
    // In brackets it ends with the item.
    let before = text[..at].rsplit(['\n', '\r']).next()?;
    let value = match line.find([',', '}', ']']) {
        _ if !before.contains(['{', '[']) => line,
        Some(_) if line.starts_with(['{', '[']) => return None,
        Some(end) => &line[..end],
        None => line,
    };
    let value = value.trim();
    (!value.is_empty() && !value.starts_with(['"', '\''])).then_some(value)
}

/// The byte of a place.
fn offset(text: &str, Location { line, column }: Location) -> Option<usize> {
    let mut begin = 0;
    for _ in 1..line {
        let rest = &text[begin..];
        let end = rest.find(['\n', '\r'])?;
        begin += end
            + if rest[end..].starts_with("\r\n") {
                2
            } else {
                1
            };
    }
    let mut chars = text[begin..].char_indices();
    chars.nth(column - 1).map(|(at, _)| begin + at)
}

/// What stands behind a key and its colon, on the same line.
fn behind_key(rest: &str) -> Option<&str> {
    let line = rest.split(['\n', '\r']).next()?;
    let colon = match line.chars().next()? {
        quote @ ('"' | '\'') => 1 + line[1..].find(quote)? + 1,
        _ => 0,
    };
    let colon = colon + line[colon..].find(':')?;
    Some(line[colon + 1..].trim_start_matches([' ', '\t']))
}

/// Whether nothing is written as such.
fn is_null(rest: &str) -> bool {
    let end = rest
        .find([' ', '\t', ',', '}', ']', '\n', '\r'])
        .unwrap_or(rest.len());
    matches!(&rest[..end], "~" | "null" | "Null" | "NULL")
}

fn is_enclosed(rest: &str) -> bool {
    rest.starts_with(['"', '\'', '*', '!'])
        || is_block_header(rest.split(['\n', '\r']).next().unwrap_or(rest))
}

/// What follows a text without quotes: all of its characters but the spaces are in the file as they are.
fn behind_plain<'t>(rest: &'t str, value: &str) -> Option<&'t str> {
    let mut chars = rest.chars();
    for wanted in value.chars().filter(|c| !c.is_whitespace()) {
        if chars.by_ref().find(|c| !c.is_whitespace()) != Some(wanted) {
            return None;
        }
    }
    Some(chars.as_str())
}

/// The comment that begins here, perhaps behind spaces.
fn comment(rest: &str, may_be_first: bool) -> Option<&str> {
    let line = rest.split(['\n', '\r']).next()?;
    let found = line.trim_start_matches([' ', '\t']);
    let is_comment = found.starts_with('#') && (may_be_first || found.len() < line.len());
    is_comment.then(|| found.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn of_a(text: &str) -> (Style, Option<&str>, Option<&str>) {
        let Node::Map(entries) = parse(text).unwrap() else {
            panic!("{text}");
        };
        let (_, node) = entries.iter().find(|(key, _)| key == "a").unwrap();
        let written = written(text, "a", node).unwrap();
        (written.style, written.anchor, written.comment)
    }

    #[test]
    fn what_the_tree_does_not_tell() {
        use Style::{Enclosed, Nothing, Plain};
        for (text, expected) in [
            ("a: b #c\nd: 1\n", (Plain, None, Some("#c"))),
            ("a: b#c\n", (Plain, None, None)),
            ("\u{feff}a: 猫が #c\r\nd: 1\r\n", (Plain, None, Some("#c"))),
            (
                "x: 1\ra: b\r  c d # e f\rg: 1\r",
                (Plain, None, Some("# e f")),
            ),
            ("{a: b #c\n, d: 1}\n", (Plain, None, Some("#c"))),
            ("a: \"b\" #c\n", (Enclosed, None, None)),
            ("a: 'b #c'\n", (Enclosed, None, None)),
            ("a: | #c\n  b #c\n", (Enclosed, None, None)),
            ("a: &b c\n", (Plain, Some("&b"), None)),
            ("a: &b\n", (Nothing, Some("&b"), None)),
            ("a: #c\n", (Nothing, None, Some("#c"))),
            ("a:\nb: 1 #c\n", (Nothing, None, None)),
            ("a: ~\n", (Plain, None, None)),
            ("a: null # none\n", (Plain, None, None)),
            ("{a: , b: 1}\n", (Nothing, None, None)),
            ("\"a\": #c\n", (Nothing, None, Some("#c"))),
        ] {
            assert_eq!(of_a(text), expected, "{text:?}");
        }
    }
}
