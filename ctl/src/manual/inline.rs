//! What is in a line of Markdown: code, emphasis, links.

use clap_mangen::roff::{Inline, bold, italic, roman};

/// A line's parts. Code and strong text are bold; a link is its text.
pub(super) fn inlines(line: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let found = marked(rest, "`", bold)
            .or_else(|| marked(rest, "**", bold))
            .or_else(|| marked(rest, "*", italic))
            .or_else(|| link(rest));
        if let Some((part, after)) = found {
            parts.push(roman(std::mem::take(&mut plain)));
            parts.push(part);
            rest = after;
        } else {
            // `\|` in a table is `|`.
            let escaped = rest.strip_prefix("\\|");
            plain.push(if escaped.is_some() { '|' } else { first });
            rest = escaped.unwrap_or(&rest[first.len_utf8()..]);
        }
    }
    parts.push(roman(plain));
    parts.retain(|part| !matches!(part, Inline::Roman(text) if text.is_empty()));
    parts
}

/// Text between two marks at the beginning, and what is behind it.
fn marked<'a>(text: &'a str, mark: &str, style: fn(String) -> Inline) -> Option<(Inline, &'a str)> {
    let (inside, after) = text.strip_prefix(mark)?.split_once(mark)?;
    let is_text = !inside.is_empty() && !inside.starts_with(' ');
    is_text.then(|| (style(inside.replace("\\|", "|").replace('`', "")), after))
}

fn link(text: &str) -> Option<(Inline, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (_, after) = rest.split_once(')')?;
    Some((italic(name.replace('`', "")), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_emphasis_and_links_are_told_apart() {
        assert_eq!(
            inlines("a `b*c*` of **`d`**, *e* 2 * 3 [f](G.md#h)."),
            [
                roman("a "),
                bold("b*c*"),
                roman(" of "),
                bold("d"),
                roman(", "),
                italic("e"),
                roman(" 2 * 3 "),
                italic("f"),
                roman("."),
            ]
        );
        assert_eq!(inlines("`< > \\|`"), [bold("< > |")]);
        assert_eq!(inlines(""), []);
    }
}
