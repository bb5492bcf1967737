//! A file's lines as they are written: their indentation, and the key and value on them.

/// A line of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'t str,
    /// Whether it is text below a `|` or `>`.
    pub(super) is_block_text: bool,
}

/// A key and its value, as far as they are on one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    /// Without space around it.
    pub(super) value: &'t str,
    /// Where the key begins, in bytes of the line.
    pub(super) key_at: usize,
    /// Where the value begins.
    pub(super) value_at: usize,
}

impl<'t> Line<'t> {
    /// The lines of a text, however they end.
    pub(super) fn all(text: &'t str) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        let mut block: Option<usize> = None;
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
                is_block_text: false,
            };
            line.is_block_text =
                block.is_some_and(|indent| line.is_blank() || line.indent() > indent);
            if !line.is_block_text {
                let is_header = line
                    .entry()
                    .is_some_and(|entry| is_block_header(entry.value));
                block = is_header.then(|| line.indent());
            }
            lines.push(line);
        }
        lines
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
            value_at: self.text.len() - value.len(),
        })
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
