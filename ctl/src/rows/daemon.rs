//! The daemon and its workers, as `ping` prints them.

use framepack_ipc::{
    control::{DaemonStatus, Note, Outage, WorkerState, WorkerStatus},
    text::span,
    worker::Temperature,
};

use crate::terminal::{
    Terminal,
    style::Style,
    symbol::Symbol,
    table::{Cell, Column, Table, labelled},
    wording::Wording,
};

const COLUMNS: [Column; 5] = [
    Column::text("DEVICE"),
    Column::text("STATE"),
    Column::text("MODELS").rank(2),
    Column::text("NAME").cut_to(12).rank(1),
    Column::text("NOTE").cut_to(20),
];

/// The daemon in a line, and a line for each worker.
pub(crate) fn status(status: &DaemonStatus) -> Vec<String> {
    let mut lines = vec![format!(
        "framepackd {} has been up for {:.0} s (pid {}): {} queued, {} running",
        status.version, status.uptime_secs, status.pid, status.queued, status.running
    )];
    lines.extend(paused(status).map(|reason| format!("no job starts: {reason}")));
    for note in notes(status) {
        lines.push(format!("degraded: {} [{}]", note.message, note.code));
        lines.extend(note.hint.iter().map(|hint| format!("hint: {hint}")));
    }
    let outages = status.outages.iter();
    lines.extend(outages.map(|of| format!("degraded: {}", outage(of, Wording::Exact))));
    for worker in &status.workers {
        let name = worker.device_name.as_deref().unwrap_or("-");
        let keeps = keeps(worker).map_or_else(String::new, |keeps| format!(", {keeps}"));
        let note = worker.note.iter().map(|note| format!(": {note}"));
        lines.push(format!(
            "worker {} ({name}): {}{keeps}{}",
            worker.device,
            worker_state(worker.state),
            note.collect::<String>()
        ));
    }
    lines
}

/// The same for people, without the workers, which are in a table.
pub(crate) fn status_for_people(
    status: &DaemonStatus,
    terminal: &Terminal,
    wording: Wording,
) -> (Vec<String>, Table) {
    let is_well = status.degraded.is_empty() && status.outages.is_empty();
    let dot = if is_well { Style::Good } else { Style::Warning };
    let mut lines = vec![format!(
        "{} framepackd {}, up {} (pid {}): {} queued, {} running",
        terminal.paint(dot, terminal.symbols.text(Symbol::Bullet)),
        status.version,
        span(status.uptime_secs),
        status.pid,
        status.queued,
        status.running
    )];
    let mut facts: Vec<(&str, Cell)> = Vec::new();
    let warned = |text: String| Cell::new(text, Style::Warning);
    facts.extend(paused(status).map(|reason| ("no job starts", warned(reason.clone()))));
    for note in notes(status) {
        let what = format!("{} [{}]", note.message, note.code);
        facts.push(("degraded", warned(what)));
        let hints = note.hint.iter();
        facts.extend(hints.map(|hint| ("hint", Cell::new(hint, Style::Hint))));
    }
    let outages = status.outages.iter();
    facts.extend(outages.map(|of| ("degraded", warned(outage(of, wording)))));
    lines.extend(labelled(&facts, terminal));
    let mut workers = Table::new(COLUMNS);
    for worker in &status.workers {
        workers.push([
            Cell::new(&worker.device, Style::Strong),
            Cell::new(worker_state(worker.state), style(worker.state)),
            keeps(worker).unwrap_or_default().into(),
            worker.device_name.clone().unwrap_or_default().into(),
            Cell::new(worker.note.clone().unwrap_or_default(), Style::Dim),
        ]);
    }
    (lines, workers)
}

/// Why no job starts, unless an outage is the reason, which is told by itself.
fn paused(status: &DaemonStatus) -> impl Iterator<Item = &String> {
    status.paused.iter().filter(|reason| {
        let mut outages = status.outages.iter();
        !outages.any(|outage| reason.contains(&outage.message))
    })
}

/// What is degraded besides the outages.
fn notes(status: &DaemonStatus) -> impl Iterator<Item = &Note> {
    status.degraded.iter().filter(|note| {
        let same = |outage: &Outage| outage.code == note.code && outage.message == note.message;
        !status.outages.iter().any(same)
    })
}

/// What a worker does, in a word.
pub(crate) fn worker_state(state: WorkerState) -> &'static str {
    match state {
        WorkerState::Starting => "starting",
        WorkerState::Idle => "idle",
        WorkerState::Busy => "busy",
        WorkerState::Down => "down",
        WorkerState::Faulty => "faulty",
        WorkerState::Unknown => "unknown",
    }
}

fn style(state: WorkerState) -> Style {
    match state {
        WorkerState::Starting => Style::Waiting,
        WorkerState::Busy => Style::Active,
        WorkerState::Down => Style::Warning,
        WorkerState::Faulty => Style::Bad,
        WorkerState::Idle | WorkerState::Unknown => Style::Plain,
    }
}

/// What a worker keeps of its models.
fn keeps(worker: &WorkerStatus) -> Option<&'static str> {
    match worker.temperature? {
        Temperature::Cold => None,
        Temperature::Hot => Some("hot"),
        Temperature::Warm => Some("warm"),
    }
}

/// What jobs wait for until the farm is mended.
pub(crate) fn outage(outage: &Outage, wording: Wording) -> String {
    let models: Vec<&str> = outage.models.iter().map(|model| model.as_str()).collect();
    let who = match (outage.devices.as_slice(), models.as_slice()) {
        ([], []) => "jobs wait".to_owned(),
        ([], models) => format!("jobs of model {} wait", models.join(", ")),
        (devices, _) => format!("no job starts on {}", devices.join(", ")),
    };
    let hint = outage.hint.as_ref().map(|hint| format!("; {hint}"));
    format!(
        "{who} until the farm is mended: {} [{}] ({}){}",
        outage.message,
        outage.code,
        outage.times_as(|time| wording.time(time)),
        hint.unwrap_or_default()
    )
}
