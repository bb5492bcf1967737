//! A text as it is written in quotes.

/// Longest text that a hint repeats, in characters.
const SHOWN_CHARS: usize = 100;

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
    format!("write `{key}: {}`", quoted(text))
}

/// The byte behind the quote that closes the one at the beginning.
pub(super) fn closing(value: &str) -> Option<usize> {
    let quote = value.chars().next()?;
    let mut rest = value.char_indices().skip(1).peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if quote == '"' => {
                rest.next();
            }
            c if c == quote && quote == '\'' && rest.peek().is_some_and(|(_, c)| *c == quote) => {
                rest.next();
            }
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a value with wrong quotes was meant to say: without the pair around it, or without the one that is open.
pub(super) fn meant(value: &str) -> &str {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return value;
    };
    let inner = &value[1..];
    match inner.strip_suffix(quote) {
        Some(both) => both,
        None if inner.contains(quote) => value,
        None => inner,
    }
}
