//! A line whose parts have a meaning each.

use crate::terminal::{
    Terminal,
    cut::{columns, escaped},
    style::Style,
    wrap::wrapped,
};

/// Spaces before a line that goes on with the one before.
const INDENT: usize = 2;

/// A line of text for a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<Piece>);

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Line {
    /// One part; a terminal obeys nothing in it.
    pub(crate) fn new(text: impl AsRef<str>, style: Style) -> Self {
        Self::default().and(text, style)
    }

    /// Of no special meaning.
    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Style::Plain)
    }

    /// The same with one more part.
    #[must_use]
    pub(crate) fn and(mut self, text: impl AsRef<str>, style: Style) -> Self {
        let text = escaped(text.as_ref());
        if !text.is_empty() {
            self.0.push(Piece { text, style });
        }
        self
    }

    /// The same with another line behind it.
    #[must_use]
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Parts in their order, of which those of the highest ranks are left out where not all fit in so many columns; one
    /// of rank 0 stays.
    pub(crate) fn fitted(mut parts: Vec<(u8, Self)>, most: usize) -> Self {
        let columns =
            |parts: &[(u8, Self)]| -> usize { parts.iter().map(|(_, part)| part.columns()).sum() };
        while columns(&parts) > most
            && let Some(rank) = parts.iter().map(|(rank, _)| *rank).max()
            && rank > 0
        {
            parts.retain(|(of, _)| *of != rank);
        }
        let parts = parts.into_iter();
        parts.fold(Self::default(), |line, (_, part)| line.join(part))
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Columns of the terminal that it takes.
    pub(crate) fn columns(&self) -> usize {
        self.0.iter().map(|piece| columns(&piece.text)).sum()
    }

    /// In at most so many columns: the part that does not fit loses its middle, and what is behind it is left out.
    #[must_use]
    pub(crate) fn cut(self, most: usize, terminal: &Terminal) -> Self {
        let mut left = most;
        let mut kept = Vec::new();
        for mut piece in self.0 {
            let needed = columns(&piece.text);
            if needed > left {
                piece.text = terminal.cut(&piece.text, left);
                kept.push(piece);
                break;
            }
            left -= needed;
            kept.push(piece);
        }
        Self(kept)
    }

    /// In as many lines as it takes, each in the style of its first part.
    pub(crate) fn wrapped(self, most: usize) -> Vec<Self> {
        let style = self.0.first().map_or(Style::Plain, |piece| piece.style);
        if self.columns() <= most {
            return vec![self];
        }
        let text: String = self.0.into_iter().map(|piece| piece.text).collect();
        let lines = wrapped(&text, most.saturating_sub(INDENT)).into_iter();
        let indented = |(n, line): (usize, String)| match n {
            0 => Self::new(line, style),
            _ => Self::new(format!("{}{line}", " ".repeat(INDENT)), style),
        };
        lines.enumerate().map(indented).collect()
    }

    /// With spaces behind it up to so many columns.
    #[must_use]
    pub(crate) fn padded(self, most: usize) -> Self {
        let missing = most.saturating_sub(self.columns());
        self.and(" ".repeat(missing), Style::Plain)
    }

    /// Without spaces at its end.
    #[must_use]
    pub(crate) fn trimmed(mut self) -> Self {
        while let Some(last) = self.0.last_mut() {
            let kept = last.text.trim_end().len();
            if kept > 0 {
                last.text.truncate(kept);
                break;
            }
            self.0.pop();
        }
        self
    }

    /// As the terminal shows it.
    pub(crate) fn painted(&self, terminal: &Terminal) -> String {
        let paint = |piece: &Piece| terminal.paint(piece.style, &piece.text);
        self.0.iter().map(paint).collect()
    }
}

#[cfg(test)]
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(&piece.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Colour, Reader, symbol::Symbols};

    fn terminal(colour: Colour) -> Terminal {
        Terminal {
            reader: Reader::Person,
            width: 80,
            colour,
            symbols: Symbols::Unicode,
        }
    }

    #[test]
    fn the_part_that_does_not_fit_is_cut_and_the_rest_is_left_out() {
        let line = Line::new("7 ", Style::Dim)
            .and("shot042-take7", Style::Strong)
            .and(" running", Style::Active);
        let terminal = terminal(Colour::Off);
        for (most, expected) in [
            (80, "7 shot042-take7 running"),
            (18, "7 shot042-take7 …g"),
            (11, "7 shot…ake7"),
            (2, "7 "),
            (0, ""),
        ] {
            assert_eq!(line.clone().cut(most, &terminal).to_string(), expected);
        }
    }

    #[test]
    fn the_least_important_parts_are_left_out_whole() {
        let parts = || {
            let part = |rank, text| (rank, Line::plain(text));
            vec![part(0, "framepackd"), part(2, " 0.1.0"), part(1, ", 3 run")]
        };
        for (most, expected) in [
            (80, "framepackd 0.1.0, 3 run"),
            (22, "framepackd, 3 run"),
            (16, "framepackd"),
            (5, "framepackd"),
        ] {
            assert_eq!(Line::fitted(parts(), most).to_string(), expected);
        }
    }

    #[test]
    fn spaces_at_the_end_go_whatever_part_they_are_of() {
        let line = Line::plain("a b").and("  ", Style::Dim).padded(9);
        assert_eq!(line.columns(), 9);
        assert_eq!(line.trimmed().to_string(), "a b");
    }

    #[test]
    fn each_part_has_its_colour() {
        let line = Line::new("done", Style::Good).and(" cat", Style::Plain);
        let painted = line.painted(&terminal(Colour::On));
        assert_eq!(painted, "\u{1b}[32mdone\u{1b}[0m cat");
        assert_eq!(line.painted(&terminal(Colour::Off)), "done cat");
    }
}
