//! Text on one line of a given width: wide characters take two columns, marks none, and what a terminal would obey is
//! shown by its number.

use framepack_jobs::on_one_line;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::symbol::{Symbol, Symbols};

/// Columns that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text on one line, with what a terminal would obey shown by its number.
pub(crate) fn escaped(text: &str) -> String {
    on_one_line(&text.replace(['\t', '\n', '\r'], " "))
}

/// The escaped text in at most so many columns. Its beginning and its end are kept: a name's number is at its end.
pub(crate) fn cut_middle(text: &str, most: usize, symbols: Symbols) -> String {
    let text = escaped(text);
    if text.width() <= most {
        return text;
    }
    let ellipsis = symbols.text(Symbol::Ellipsis);
    let Some(kept) = most.checked_sub(ellipsis.width()) else {
        return beginning(&text, most).to_owned();
    };
    let begin = beginning(&text, kept.div_ceil(2));
    let end = end(&text, kept - begin.width());
    format!("{begin}{ellipsis}{end}")
}

/// The text with spaces behind it up to so many columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// The text in pieces of at most so many columns; a character that is wider is a piece by itself.
pub(crate) fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let first = rest.graphemes(true).next().map_or(0, str::len);
        let (piece, others) = rest.split_at(beginning(rest, most).len().max(first));
        pieces.push(piece.to_owned());
        rest = others;
    }
    pieces
}

/// As much of the beginning as fits, cut between what people see as characters.
fn beginning(text: &str, most: usize) -> &str {
    let ends = text
        .grapheme_indices(true)
        .map(|(at, character)| at + character.len());
    let fitting = ends.take_while(|end| text[..*end].width() <= most);
    &text[..fitting.last().unwrap_or(0)]
}

fn end(text: &str, most: usize) -> &str {
    let starts = text.grapheme_indices(true).rev().map(|(at, _)| at);
    let fitting = starts.take_while(|start| text[*start..].width() <= most);
    &text[fitting.last().unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_their_middle() {
        let cut = |text: &str, most: usize| cut_middle(text, most, Symbols::Unicode);
        assert_eq!(cut("shot042", 7), "shot042");
        assert_eq!(cut("shot042-take7", 9), "shot…ake7");
        assert_eq!(cut("shot042-take7", 1), "…");
        assert_eq!(cut("shot042-take7", 0), "");
        assert_eq!(cut_middle("shot042-take7", 9, Symbols::Ascii), "sho...ke7");
        assert_eq!(cut_middle("shot042-take7", 2, Symbols::Ascii), "sh");
    }

    #[test]
    fn wide_characters_take_two_columns_and_stay_whole() {
        for most in 0..12 {
            let cut = cut_middle("日本語の映画", most, Symbols::Unicode);
            assert!(columns(&cut) <= most, "{cut} in {most}");
        }
        assert_eq!(cut_middle("日本語の映画", 8, Symbols::Unicode), "日本…画");
        // An accent stays with its letter, which is two characters here.
        let accents = "e\u{301}".repeat(5);
        assert_eq!(
            cut_middle(&accents, 3, Symbols::Unicode),
            "e\u{301}…e\u{301}"
        );
    }

    #[test]
    fn pieces_are_as_wide_as_they_may_be() {
        assert_eq!(
            pieces("/outputs/cat-7.mp4", 8),
            ["/outputs", "/cat-7.m", "p4"]
        );
        assert_eq!(pieces("日本語", 3), ["日", "本", "語"]);
        assert_eq!(pieces("日本", 1), ["日", "本"]);
        assert_eq!(pieces("", 3), [] as [&str; 0]);
    }

    #[test]
    fn a_terminal_obeys_no_name() {
        let name = "a\u{1b}[2Jb\nc\u{202e}d";
        let shown = cut_middle(name, 80, Symbols::Unicode);
        assert_eq!(shown, r"a\u{1b}[2Jb c\u{202e}d");
    }
}
