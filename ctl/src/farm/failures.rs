//! What failed lately.

use framepack_ipc::farm::{FarmStatus, RecentFailure};
use framepack_jobs::Timestamp;

use super::{grid::Grid, line::Line};
use crate::terminal::{Terminal, style::Style, symbol::Symbol, time::ago};

/// Columns of a name.
const NAME: usize = 20;

/// A line for each failure.
pub(crate) fn failures(farm: &FarmStatus, now: Timestamp, terminal: &Terminal) -> Vec<Line> {
    let number = |failure: &RecentFailure| failure.id.to_string().len();
    let widest = farm.failures.iter().map(number).max().unwrap_or(0);
    let cells = |failure: &RecentFailure| {
        let symbol = terminal.symbols.text(Symbol::Failed);
        vec![
            Line::new(symbol, Style::Bad).and(
                format!(" {:>widest$}", failure.id.to_string()),
                Style::Strong,
            ),
            Line::plain(&failure.name).cut(NAME, terminal),
            Line::plain(format!("{} [{}]", failure.message, failure.code)),
            Line::new(ago(failure.finished_at, now), Style::Dim),
        ]
    };
    let grid = Grid {
        flexible: 2,
        rows: farm.failures.iter().map(cells).collect(),
    };
    grid.lines(terminal)
}
