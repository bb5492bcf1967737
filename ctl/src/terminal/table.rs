//! A table under headings that fits the terminal: of what is too wide the least important columns are narrowed, then left
//! out.

mod column;

pub(crate) use column::Column;
use column::{Align, Fit};

use super::{
    Terminal,
    cut::{columns, escaped, padded, pieces},
    style::Style,
    wrap::wrapped,
};

/// Between two columns.
const GAP: &str = "  ";

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
            lines.extend(self.row(&cells, &shown, terminal));
        }
        let rows = self.rows.iter();
        lines.extend(rows.flat_map(|row| self.row(row, &shown, terminal)));
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
                _ => return self.narrowed(shown, width),
            }
        }
    }

    /// Takes from the widest columns of the highest rank what is too much.
    fn narrowed(&self, shown: Vec<usize>, width: usize) -> Vec<(usize, usize)> {
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

    /// A row in as many lines as its highest cell.
    fn row(&self, cells: &[Cell], shown: &[(usize, usize)], terminal: &Terminal) -> Vec<String> {
        let last = shown.last().map(|(column, _)| *column);
        let parts = shown.iter().map(|(column, width)| {
            let text = &cells[*column].text;
            match self.columns[*column].fit {
                // A path that nothing follows can be copied if it stays whole.
                Fit::Wrapped(_) if last == Some(*column) => wrapped(text, *width),
                Fit::Wrapped(_) => {
                    let lines = wrapped(text, *width).into_iter();
                    lines.flat_map(|line| pieces(&line, *width)).collect()
                }
                Fit::Whole | Fit::Cut(_) => vec![terminal.cut(text, *width)],
            }
        });
        let parts: Vec<Vec<String>> = parts.collect();
        let height = parts.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let line = |n: usize| {
            let at = |part: &Vec<String>| part.get(n).cloned().unwrap_or_default();
            let texts = parts.iter().map(at).collect();
            self.line(texts, cells, shown, terminal)
        };
        (0..height).map(line).collect()
    }

    fn line(
        &self,
        texts: Vec<String>,
        cells: &[Cell],
        shown: &[(usize, usize)],
        terminal: &Terminal,
    ) -> String {
        let mut line = String::new();
        // Spaces that nothing may follow.
        let mut pending = String::new();
        for (i, (text, (column, width))) in texts.into_iter().zip(shown).enumerate() {
            let spaces = " ".repeat(width.saturating_sub(columns(&text)));
            if i > 0 {
                pending += GAP;
            }
            if self.columns[*column].align == Align::Right {
                pending += &spaces;
            }
            if !text.is_empty() {
                line += &std::mem::take(&mut pending);
                line += &terminal.paint(cells[*column].style, &text);
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

    /// How far it may be narrowed.
    fn least(&self, column: usize) -> usize {
        let natural = self.natural(column);
        match self.columns[column].fit {
            Fit::Whole => natural,
            Fit::Cut(least) | Fit::Wrapped(least) => natural.min(least),
        }
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
        for (i, part) in wrapped(&cell.text, room).iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let label = terminal.paint(Style::Dim, &padded(label, indent));
            lines.push(format!("{label}{}", terminal.paint(cell.style, part)));
        }
    }
    lines
}

#[cfg(test)]
mod tests;
