//! A table under headings that fits the terminal: of what is too wide the least important columns are cut, then left out.

use super::{
    Terminal,
    cut::{columns, escaped, padded},
    style::Style,
};

/// Between two columns.
const GAP: &str = "  ";

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    align: Align,
    /// Its cells may be cut to so many columns of the terminal.
    least: Option<usize>,
    /// 0 always stays; of the others the highest is cut and left out first.
    rank: u8,
}

/// On which side the cells of a column end or begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    /// Numbers.
    Right,
}

/// What stands in a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

/// Columns and their cells.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Whether the columns have headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headings {
    Shown,
    Hidden,
}

impl Column {
    /// Of text, shown whole and always.
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self {
            heading,
            align: Align::Left,
            least: None,
            rank: 0,
        }
    }

    /// Of numbers, shown whole and always.
    pub(crate) const fn number(heading: &'static str) -> Self {
        Self {
            align: Align::Right,
            ..Self::text(heading)
        }
    }

    /// Its cells may be cut in the middle to this many columns of the terminal.
    pub(crate) const fn cut_to(self, least: usize) -> Self {
        Self {
            least: Some(least),
            ..self
        }
    }

    /// Where not all fits it is cut, and left out, before those of a lower rank.
    pub(crate) const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

impl Cell {
    /// A text in the colours of its meaning.
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Style::Plain)
    }
}

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// One more row, with a cell for each column.
    pub(crate) fn push(&mut self, cells: impl Into<Vec<Cell>>) {
        let mut cells = cells.into();
        for cell in &mut cells {
            cell.text = escaped(&cell.text);
        }
        self.rows.push(cells);
    }

    /// Its lines, none wider than the terminal as long as the columns that always stay fit in it. A column without any
    /// text is left out.
    pub(crate) fn lines(&self, terminal: &Terminal, headings: Headings) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let shown = self.fitted(terminal.width);
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        if headings == Headings::Shown {
            let cell = |column: &Column| Cell::new(column.heading, Style::Heading);
            let cells: Vec<Cell> = self.columns.iter().map(cell).collect();
            lines.push(self.line(&cells, &shown, terminal));
        }
        let rows = self.rows.iter();
        lines.extend(rows.map(|row| self.line(row, &shown, terminal)));
        lines
    }

    /// The columns that are shown, and how wide each is.
    fn fitted(&self, width: usize) -> Vec<(usize, usize)> {
        let mut shown: Vec<usize> = (0..self.columns.len())
            .filter(|column| self.columns[*column].rank == 0 || self.has_text(*column))
            .collect();
        loop {
            let needed = total(shown.iter().map(|column| self.least(*column)));
            let last = shown
                .iter()
                .copied()
                .max_by_key(|column| self.columns[*column].rank);
            match last.filter(|column| self.columns[*column].rank > 0) {
                Some(last) if needed > width => shown.retain(|column| *column != last),
                _ => return self.cut(shown, width),
            }
        }
    }

    /// Takes from the widest columns of the highest rank what is too much.
    fn cut(&self, shown: Vec<usize>, width: usize) -> Vec<(usize, usize)> {
        let mut widths: Vec<(usize, usize)> = shown
            .into_iter()
            .map(|column| (column, self.natural(column)))
            .collect();
        let mut by_rank: Vec<usize> = (0..widths.len()).collect();
        by_rank.sort_by_key(|at| std::cmp::Reverse(self.columns[widths[*at].0].rank));
        for at in by_rank {
            let excess = total(widths.iter().map(|(_, width)| *width)).saturating_sub(width);
            let (column, natural) = widths[at];
            widths[at].1 = natural.saturating_sub(excess).max(self.least(column));
        }
        widths
    }

    fn line(&self, cells: &[Cell], shown: &[(usize, usize)], terminal: &Terminal) -> String {
        let mut line = String::new();
        // Spaces that nothing may follow.
        let mut pending = String::new();
        for (i, (column, width)) in shown.iter().enumerate() {
            let Cell { text, style } = &cells[*column];
            let text = terminal.cut(text, *width);
            let spaces = " ".repeat(width - columns(&text));
            if i > 0 {
                pending += GAP;
            }
            if self.columns[*column].align == Align::Right {
                pending += &spaces;
            }
            if !text.is_empty() {
                line += &std::mem::take(&mut pending);
                line += &terminal.paint(*style, &text);
            }
            if self.columns[*column].align == Align::Left {
                pending += &spaces;
            }
        }
        line
    }

    /// How wide the column's widest cell is, with its heading.
    fn natural(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| columns(&row[column].text));
        let widest = cells.max().unwrap_or(0);
        widest.max(columns(self.columns[column].heading))
    }

    /// How far it may be cut.
    fn least(&self, column: usize) -> usize {
        let natural = self.natural(column);
        self.columns[column]
            .least
            .map_or(natural, |least| natural.min(least))
    }

    fn has_text(&self, column: usize) -> bool {
        self.rows.iter().any(|row| !row[column].text.is_empty())
    }
}

/// Columns of the terminal that a line of such cells takes.
fn total(widths: impl ExactSizeIterator<Item = usize>) -> usize {
    let gaps = widths.len().saturating_sub(1) * GAP.len();
    gaps + widths.sum::<usize>()
}

/// Labels with what they say beside them, the longer ones broken into lines of the terminal.
pub(crate) fn labelled(pairs: &[(&str, Cell)], terminal: &Terminal) -> Vec<String> {
    let label_width = pairs.iter().map(|(label, _)| columns(label)).max();
    let indent = label_width.unwrap_or(0) + GAP.len();
    let mut lines = Vec::new();
    for (label, cell) in pairs {
        let room = terminal.width.saturating_sub(indent);
        for (i, part) in super::wrap::wrapped(&cell.text, room).iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let label = terminal.paint(Style::Dim, &padded(label, indent));
            lines.push(format!("{label}{}", terminal.paint(cell.style, part)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Colour, Reader, symbol::Symbols};

    const COLUMNS: [Column; 4] = [
        Column::number("ID"),
        Column::text("NAME").cut_to(8),
        Column::text("NOTE").rank(2),
        Column::text("VIDEO").cut_to(6).rank(1),
    ];

    fn terminal(width: usize) -> Terminal {
        Terminal {
            reader: Reader::Person,
            width,
            colour: Colour::Off,
            symbols: Symbols::Unicode,
        }
    }

    fn shown(width: usize) -> String {
        let mut table = Table::new(COLUMNS);
        table.push(["7", "shot042-take-seven", "a note", "/out/shot042.mp4"].map(Cell::from));
        table.push(["12", "日本語", "", ""].map(Cell::from));
        table.lines(&terminal(width), Headings::Shown).join("\n")
    }

    #[test]
    fn all_of_it_where_there_is_room() {
        let expected = "\
ID  NAME                NOTE    VIDEO
 7  shot042-take-seven  a note  /out/shot042.mp4
12  日本語";
        assert_eq!(shown(80), expected);
    }

    #[test]
    fn least_important_columns_are_cut_then_left_out() {
        let cut = "\
ID  NAME                NOTE    VIDEO
 7  shot042-take-seven  a note  /out…mp4
12  日本語";
        assert_eq!(shown(40), cut);
        let narrower = "\
ID  NAME         NOTE    VIDEO
 7  shot0…seven  a note  /ou…p4
12  日本語";
        assert_eq!(shown(31), narrower);
        let narrow = "\
ID  NAME           VIDEO
 7  shot04…-seven  /ou…p4
12  日本語";
        assert_eq!(shown(25), narrow);
        assert_eq!(
            shown(20),
            "ID  NAME      VIDEO\n 7  shot…ven  /ou…p4\n12  日本語"
        );
        assert_eq!(shown(13), "ID  NAME\n 7  shot…even\n12  日本語");
    }

    #[test]
    fn empty_columns_and_headings_are_left_out() {
        let mut table = Table::new(COLUMNS);
        table.push(["7", "cat", "", "cat.mp4"].map(Cell::from));
        let lines = table.lines(&terminal(80), Headings::Hidden);
        assert_eq!(lines, [" 7  cat   cat.mp4"]);
        let none = Table::new(COLUMNS);
        assert!(none.lines(&terminal(80), Headings::Shown).is_empty());
    }

    #[test]
    fn labels_stand_beside_broken_lines() {
        let pairs = [("job", Cell::from("7")), ("prompt", "a cat yawns".into())];
        let lines = labelled(&pairs, &terminal(14));
        assert_eq!(lines, ["job     7", "prompt  a cat", "        yawns"]);
    }
}
