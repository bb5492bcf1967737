//! What failed lately.

use framepack_ipc::farm::{FarmStatus, RecentFailure};
use framepack_jobs::Timestamp;

use super::{grid::Grid, line::Line};
use crate::terminal::{Terminal, style::Style, symbol::Symbol, time::ago};

/// Columns of a name.
const NAME: usize = 20;

/// All that is known of each failure, in as many lines as it takes.
pub(crate) fn failures_in_full(
    farm: &FarmStatus,
    now: Timestamp,
    terminal: &Terminal,
) -> Vec<Line> {
    let symbol = terminal.symbols.text(Symbol::Failed);
    let failures = farm.failures.iter();
    failures
        .flat_map(|failure| {
            let RecentFailure {
                id,
                name,
                code,
                message,
                finished_at,
            } = failure;
            let ended = ago(*finished_at, now);
            let why = code.behind(message);
            let text = format!("{symbol} {id} {name}, {ended}: {why}");
            Line::new(text, Style::Bad).wrapped(terminal.width)
        })
        .collect()
}

/// How many failed, and the numbers of the latest that fit; `how` to see more of them.
pub(crate) fn failures_in_a_line(
    farm: &FarmStatus,
    how: &str,
    terminal: &Terminal,
) -> Option<Line> {
    let count = farm.failures.len();
    let symbol = terminal.symbols.text(Symbol::Failed);
    let begin = format!("{symbol} {count} failed in the last 24 h ({how}): ");
    let mut ids = farm.failures.iter().map(|failure| failure.id.to_string());
    let mut line = Line::new(begin, Style::Bad).and(ids.next()?, Style::Strong);
    for id in ids {
        let longer = line.clone().and(format!(", {id}"), Style::Strong);
        if longer.columns() > terminal.width {
            break;
        }
        line = longer;
    }
    Some(line)
}

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
            Line::plain(failure.code.behind(&failure.message)),
            Line::new(ago(failure.finished_at, now), Style::Dim),
        ]
    };
    let grid = Grid {
        flexible: 2,
        least: 24,
        optional: &[],
        rows: farm.failures.iter().map(cells).collect(),
    };
    grid.lines(terminal)
}
