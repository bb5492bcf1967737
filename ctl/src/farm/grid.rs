//! Lines in columns, of which one gives way where the terminal is too narrow for all.

use super::line::Line;
use crate::terminal::Terminal;

/// Between two columns.
const GAP: usize = 2;

/// Rows of cells, each column as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Grid {
    /// The column that gives way, and how wide it is at least.
    pub(super) flexible: usize,
    pub(super) least: usize,
    /// Columns that are left out, in this order, where that is not enough.
    pub(super) optional: &'static [usize],
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
        let natural = widths.get(self.flexible).copied().unwrap_or_default();
        let spare = natural.saturating_sub(self.least);
        for optional in self.optional {
            if needed(&widths) > terminal.width + spare
                && let Some(width) = widths.get_mut(*optional)
            {
                *width = 0;
            }
        }
        let needed = needed(&widths);
        if let Some(flexible) = widths.get_mut(self.flexible) {
            let least = self.least.min(*flexible);
            *flexible = flexible
                .saturating_sub(needed.saturating_sub(terminal.width))
                .max(least);
        }
        let rows = self.rows.into_iter();
        rows.map(|row| line(row, &widths, terminal)).collect()
    }
}

/// Columns of the terminal for all that have any.
fn needed(widths: &[usize]) -> usize {
    let shown = widths.iter().filter(|width| **width > 0).count();
    widths.iter().sum::<usize>() + GAP * shown.saturating_sub(1)
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

    fn shown(width: usize, optional: &'static [usize]) -> Vec<String> {
        let terminal = Terminal {
            reader: Reader::Person,
            width,
            colour: Colour::Off,
            symbols: Symbols::Unicode,
        };
        let row = |cells: [&str; 4]| cells.map(Line::plain).into();
        let grid = Grid {
            flexible: 1,
            least: 8,
            optional,
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
        let lines = |width| shown(width, &[]);
        assert_eq!(lines(80), ["7   shot042-take-seven  done", "12  cat"]);
        assert_eq!(lines(22), ["7   shot04…seven  done", "12  cat"]);
        assert_eq!(lines(15), ["7   shot…ven  …", "12  cat"]);
    }

    #[test]
    fn others_are_left_out_whole_where_that_is_not_enough() {
        let lines = |width| shown(width, &[3]);
        assert_eq!(lines(18), ["7   shot…ven  done", "12  cat"]);
        assert_eq!(lines(17), ["7   shot04…-seven", "12  cat"]);
    }
}
