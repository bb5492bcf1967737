//! The daemon in a line, and what keeps it from working as it should.

use framepack_ipc::{control::Outage, farm::FarmStatus, text::span};
use framepack_jobs::Timestamp;

use super::line::Line;
use crate::{
    rows::outage,
    terminal::{Terminal, style::Style, symbol::Symbol, wording::Wording},
};

/// `● framepackd 0.1.0  up 9 h 12 min  1 running, 41 waiting, all done in about 7 h`; on a narrow terminal less of it.
pub(crate) fn daemon(farm: &FarmStatus, terminal: &Terminal) -> Line {
    let style = if is_well(farm) {
        Style::Good
    } else {
        Style::Warning
    };
    let jobs = format!("{} running, {} waiting", farm.running.len(), farm.queued);
    let drain = farm.drain.as_ref();
    let drain = drain.map(|drain| format!(", all done in {}", drain.span()));
    let name = Line::new(terminal.symbols.text(Symbol::Bullet), style);
    let up = format!("  up {}", span(farm.uptime_secs));
    let parts = vec![
        (0, name.and(" framepackd", Style::Strong)),
        (2, Line::new(format!(" {}", farm.version), Style::Strong)),
        (3, Line::new(up, Style::Dim)),
        (0, Line::plain(format!("  {jobs}"))),
        (1, Line::plain(drain.unwrap_or_default())),
    ];
    Line::fitted(parts, terminal.width).cut(terminal.width, terminal)
}

fn is_well(farm: &FarmStatus) -> bool {
    farm.paused.is_none() && farm.degraded.is_empty() && farm.outages.is_empty()
}

/// What keeps it from working as it should, with what to do about it.
pub(crate) fn notices(farm: &FarmStatus, now: Timestamp, terminal: &Terminal) -> Vec<Line> {
    let told = |text: &str| {
        farm.outages
            .iter()
            .any(|outage| text.contains(&outage.message))
    };
    let paused = farm.paused.iter().filter(|reason| !told(reason));
    let paused = paused.map(|reason| notice(&format!("no job starts: {reason}"), terminal));
    let notes = farm.degraded.iter().filter(|note| !told(&note.message));
    let notes = notes.flat_map(|note| {
        let text = note.code.behind(&note.message);
        let hint = note.hint.iter();
        let hint = hint.map(|hint| Line::new(format!("  {hint}"), Style::Hint));
        std::iter::once(notice(&text, terminal)).chain(hint)
    });
    let outages = farm
        .outages
        .iter()
        .map(|of: &Outage| notice(&outage(of, Wording::Human { now }), terminal));
    paused.chain(outages).chain(notes).collect()
}

fn notice(text: &str, terminal: &Terminal) -> Line {
    let symbol = terminal.symbols.text(Symbol::Warning);
    Line::new(format!("{symbol} {text}"), Style::Warning)
}
