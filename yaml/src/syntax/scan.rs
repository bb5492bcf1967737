//! Quotes and brackets, followed over the lines of a value.

/// How deep in brackets, and in which quotes, a text is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scan {
    depth: usize,
    quote: Option<char>,
}

impl Scan {
    /// Goes through a line; the byte behind what closes the value, if the line does.
    pub(super) fn closes(&mut self, line: &str) -> Option<usize> {
        let mut before = ' ';
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let end = at + c.len_utf8();
            match (self.quote, c) {
                (Some('"'), '\\') => {
                    chars.next();
                }
                (Some('\''), '\'') if chars.peek().is_some_and(|(_, c)| *c == '\'') => {
                    chars.next();
                }
                (Some(quote), c) if c == quote => {
                    self.quote = None;
                    if self.depth == 0 {
                        return Some(end);
                    }
                }
                (None, '#') if before.is_whitespace() => return None,
                // Within a word it is a part of it.
                (None, '"' | '\'') if before.is_whitespace() || "{[,:".contains(before) => {
                    self.quote = Some(c);
                }
                (None, '{' | '[') => self.depth += 1,
                (None, '}' | ']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(end);
                    }
                }
                _ => {}
            }
            before = c;
        }
        None
    }
}

/// The byte behind the quote or bracket that closes the one at the beginning.
pub(super) fn closing(value: &str) -> Option<usize> {
    Scan::default().closes(value)
}
