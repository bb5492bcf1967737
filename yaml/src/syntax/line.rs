//! A file's lines as they are written: their indentation, and the key and value on them.

use super::scan::Scan;
use crate::comment::without_comment;

/// A line of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'t str,
    pub(super) inside: Inside,
}

/// What of an earlier line goes on where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    Nothing,
    /// Text below a `|` or `>`.
    BlockText,
    /// A text without quotes.
    Text,
    /// A text in quotes, or a mapping or list in brackets, that began on the line of this number.
    Enclosed(usize),
}

/// A key and its value, as far as they are on one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    /// Without space around it.
    pub(super) value: &'t str,
    /// Where the key begins, in bytes of the line.
    pub(super) key_at: usize,
    /// Where its colon is.
    pub(super) colon_at: usize,
    /// Where the value begins.
    pub(super) value_at: usize,
}

/// What is open at the end of a line.
enum Open {
    Nothing,
    /// Lines that are indented further than the key are text, as far as the first of them is.
    BlockText {
        key: usize,
        text: Option<usize>,
    },
    /// Lines that are indented further and have no key are text.
    Text(usize),
    Enclosed(usize, Scan),
}

impl Open {
    /// What a line is inside of, if it is.
    fn inside(&self, line: &Line<'_>) -> Inside {
        match *self {
            Self::BlockText { key, text } => {
                let least = text.unwrap_or(key + 1);
                if line.is_blank() || line.indent() >= least {
                    Inside::BlockText
                } else {
                    Inside::Nothing
                }
            }
            Self::Text(indent) if line.indent() > indent && line.entry().is_none() => Inside::Text,
            Self::Enclosed(first, _) => Inside::Enclosed(first),
            _ => Inside::Nothing,
        }
    }

    /// What is open behind a line that is inside of this.
    fn behind(self, line: &Line<'_>) -> Self {
        if let Self::Enclosed(first, mut scan) = self {
            return match scan.closes(line.text) {
                Some(_) => Self::Nothing,
                None => Self::Enclosed(first, scan),
            };
        }
        if let Self::BlockText { key, text: None } = self
            && line.inside == Inside::BlockText
            && !line.text.trim().is_empty()
        {
            let text = Some(line.indent()).filter(|indent| *indent > key);
            return Self::BlockText { key, text };
        }
        if line.inside != Inside::Nothing {
            return self;
        }
        let indent = line.indent();
        let value = line.entry().map_or(line.text.trim(), |entry| entry.value);
        if line.is_blank() {
            return match self {
                // A comment ends it.
                Self::Text(_) if !line.text.trim().is_empty() => Self::Nothing,
                open => open,
            };
        }
        let mut scan = Scan::default();
        match value.chars().next() {
            _ if is_block_header(value) => Self::BlockText {
                key: indent,
                text: None,
            },
            Some('"' | '\'' | '{' | '[') => match scan.closes(value) {
                Some(_) => Self::Nothing,
                None => Self::Enclosed(line.number, scan),
            },
            _ if without_comment(value) == value => Self::Text(indent),
            _ => Self::Nothing,
        }
    }
}

impl<'t> Line<'t> {
    /// The lines of a text, however they end.
    pub(super) fn all(text: &'t str) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        let mut open = Open::Nothing;
        let mut rest = text;
        while !rest.is_empty() || lines.is_empty() {
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            let after = after
                .strip_prefix("\r\n")
                .unwrap_or_else(|| after.get(1..).unwrap_or(""));
            rest = after;
            let mut line = Self {
                number: lines.len() + 1,
                text,
                inside: Inside::Nothing,
            };
            line.inside = open.inside(&line);
            open = open.behind(&line);
            lines.push(line);
        }
        lines
    }

    /// Its key and value, unless it is a part of a text or of a value in brackets.
    pub(super) fn own_entry(&self) -> Option<Entry<'t>> {
        self.entry().filter(|_| self.inside == Inside::Nothing)
    }

    pub(super) fn is_blank(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#')
    }

    /// Bytes of space before its text.
    pub(super) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches([' ', '\t']).len()
    }

    /// Its key and value, unless it has none.
    pub(super) fn entry(&self) -> Option<Entry<'t>> {
        let mut key_at = self.indent();
        while self.text[key_at..].starts_with("- ") {
            let rest = self.text[key_at + 1..].trim_start_matches(' ');
            key_at = self.text.len() - rest.len();
        }
        let text = &self.text[key_at..];
        if text.starts_with(['{', '[', '#', '}', ']']) {
            return None;
        }
        let is_colon = |at: &usize| {
            let behind = text[at + 1..].chars().next();
            behind.is_none_or(|c| matches!(c, ' ' | '\t'))
        };
        let colon = text.match_indices(':').map(|(at, _)| at).find(is_colon)?;
        let value = text[colon + 1..].trim_start_matches([' ', '\t']);
        Some(Entry {
            key: text[..colon].trim_end(),
            value: value.trim_end(),
            key_at,
            colon_at: key_at + colon,
            value_at: self.text.len() - value.len(),
        })
    }

    /// The byte of a column of the line.
    pub(super) fn byte(&self, column: usize) -> usize {
        let at = self.text.char_indices().nth(column.saturating_sub(1));
        at.map_or(self.text.len(), |(at, _)| at)
    }

    /// Column of a byte of the line.
    pub(super) fn column(&self, at: usize) -> usize {
        self.text[..at].chars().count() + 1
    }
}

/// Whether a value announces lines of text: `|`, `>-`, `|2`, perhaps with a comment.
pub(crate) fn is_block_header(value: &str) -> bool {
    let Some(rest) = value.strip_prefix(['|', '>']) else {
        return false;
    };
    let indicators =
        rest.trim_start_matches(|c: char| matches!(c, '+' | '-') || c.is_ascii_digit());
    rest.len() - indicators.len() <= 2
        && (indicators.trim().is_empty()
            || indicators.trim_start().starts_with('#') && indicators.starts_with([' ', '\t']))
}
