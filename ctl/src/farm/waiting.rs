//! Jobs that wait, with the reason.

use framepack_ipc::{estimate::Moment, queue::QueueEntry};
use framepack_jobs::Timestamp;

use super::{grid::Grid, line::Line};
use crate::{
    shown_state::of_standing,
    terminal::{Terminal, style::Style, wording::Wording},
};

/// Columns of a name, and on a wide terminal.
const NAME: usize = 24;
const WIDE_NAME: usize = 40;
const WIDE: usize = 100;

/// A line for each of these jobs.
pub(crate) fn waiting<'q>(
    jobs: impl Iterator<Item = &'q QueueEntry> + Clone,
    now: Timestamp,
    terminal: &Terminal,
) -> Vec<Line> {
    let number = |job: &QueueEntry| job.id.to_string().len();
    let widest = jobs.clone().map(number).max().unwrap_or(0);
    let grid = Grid {
        flexible: 2,
        least: 24,
        // When it begins.
        optional: &[3],
        rows: jobs
            .map(|job| cells(job, (widest, now), terminal))
            .collect(),
    };
    grid.lines(terminal)
}

/// When it will begin, where that can be foreseen.
fn begins(job: &QueueEntry) -> String {
    let begins = job.begins.as_ref().and_then(Moment::expected);
    let span = begins.map(|begins| format!("begins in {}", begins.estimate.span()));
    span.unwrap_or_default()
}

fn cells(job: &QueueEntry, (widest, now): (usize, Timestamp), terminal: &Terminal) -> Vec<Line> {
    let (symbol, style) = of_standing(job.standing);
    let name = if terminal.width < WIDE {
        NAME
    } else {
        WIDE_NAME
    };
    vec![
        Line::new(terminal.symbols.text(symbol), style)
            .and(format!(" {:>widest$}", job.id.to_string()), Style::Strong),
        Line::plain(&job.name).cut(name, terminal),
        Line::new(Wording::Human { now }.sentence(&job.reason), style),
        Line::new(begins(job), Style::Dim),
    ]
}
