//! Jobs that run, with where they are and how long they will still take.

use framepack_ipc::farm::{FarmStatus, RunningJob};
use framepack_jobs::Progress;

use super::{bar::bar, grid::Grid, line::Line};
use crate::{
    progress::{percent, share},
    rows::describe,
    terminal::{Terminal, style::Style, symbol::Symbol},
};

/// Columns of a bar.
const BAR: usize = 16;
/// From this width on there is one, and the device.
const WIDE: usize = 100;

/// A line for each running job.
pub(crate) fn running(farm: &FarmStatus, terminal: &Terminal) -> Vec<Line> {
    let number = |job: &RunningJob| job.id.to_string().len();
    let widest = farm.running.iter().map(number).max().unwrap_or(0);
    let cells = |job| cells(job, widest, terminal);
    let grid = Grid {
        flexible: 1,
        least: 12,
        // The bar, the pace, the share in percent.
        optional: &[4, 6, 5],
        rows: farm.running.iter().map(cells).collect(),
    };
    grid.lines(terminal)
}

fn cells(job: &RunningJob, widest: usize, terminal: &Terminal) -> Vec<Line> {
    let (symbol, style) = if job.paused {
        (Symbol::Held, Style::Held)
    } else {
        (Symbol::Running, Style::Active)
    };
    let place = match &job.progress {
        None => "starting".to_owned(),
        Some(progress) => describe(progress),
    };
    let place = if job.paused {
        format!("paused, {place}")
    } else {
        place
    };
    let pace = job.secs_per_step.map(|secs| format!("{secs:.2} s/step"));
    let is_wide = terminal.width >= WIDE;
    let bar = |progress: &Progress| bar(share(progress), BAR, style, terminal);
    vec![
        Line::new(terminal.symbols.text(symbol), style)
            .and(format!(" {:>widest$}", job.id.to_string()), Style::Strong),
        Line::plain(&job.name),
        Line::plain(if is_wide { &job.device } else { "" }),
        Line::plain(place),
        job.progress
            .as_ref()
            .filter(|_| is_wide)
            .map(bar)
            .unwrap_or_default(),
        Line::plain(job.progress.as_ref().map(percent).unwrap_or_default()),
        Line::new(pace.unwrap_or_default(), Style::Dim),
        Line::new(time_left(job).unwrap_or_default(), Style::Strong),
    ]
}

/// `1 min 52 s left`
pub(crate) fn time_left(job: &RunningJob) -> Option<String> {
    let left = job.left.as_ref().filter(|_| !job.paused)?;
    Some(format!("{} left", left.span()))
}
