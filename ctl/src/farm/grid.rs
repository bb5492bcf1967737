//! Lines in columns, of which one gives way where the terminal is too narrow for all.

use super::line::Line;
use crate::terminal::Terminal;

/// Between two columns.
const GAP: usize = 2;
/// Columns that remain of the one that gives way.
const LEAST: usize = 8;

/// Rows of cells, each column as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Grid {
    /// The column that gives way.
    pub(super) flexible: usize,
    pub(super) rows: Vec<Vec<Line>>,
}

impl Grid {
    /// The rows in at most so many columns of the terminal as it has. Columns without any text are left out.
    pub(super) fn lines(self, terminal: &Terminal) -> Vec<Line> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(Line::columns).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..count).map(width).collect();
        let shown = widths.iter().filter(|width| **width > 0).count();
        let needed = widths.iter().sum::<usize>() + GAP * shown.saturating_sub(1);
        if let Some(flexible) = widths.get_mut(self.flexible) {
            let least = LEAST.min(*flexible);
            *flexible = flexible
                .saturating_sub(needed.saturating_sub(terminal.width))
                .max(least);
        }
        let rows = self.rows.into_iter();
        rows.map(|row| line(row, &widths, terminal)).collect()
    }
}

fn line(row: Vec<Line>, widths: &[usize], terminal: &Terminal) -> Line {
    let cells = row.into_iter().zip(widths).filter(|(_, width)| **width > 0);
    let mut line = Line::default();
    for (n, (cell, width)) in cells.enumerate() {
        if n > 0 {
            let columns = line.columns() + GAP;
            line = line.padded(columns);
        }
        line = line.join(cell.cut(*width, terminal).padded(*width));
    }
    line.trimmed().cut(terminal.width, terminal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Colour, Reader, symbol::Symbols};

    fn shown(width: usize) -> Vec<String> {
        let terminal = Terminal {
            reader: Reader::Person,
            width,
            colour: Colour::Off,
            symbols: Symbols::Unicode,
        };
        let row = |cells: [&str; 4]| cells.map(Line::plain).into();
        let grid = Grid {
            flexible: 1,
            rows: vec![
                row(["7", "shot042-take-seven", "", "done"]),
                row(["12", "cat", "", ""]),
            ],
        };
        let lines = grid.lines(&terminal);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_column_gives_way() {
        assert_eq!(shown(80), ["7   shot042-take-seven  done", "12  cat"]);
        assert_eq!(shown(22), ["7   shot04…seven  done", "12  cat"]);
        assert_eq!(shown(15), ["7   shot…ven  …", "12  cat"]);
    }
}
