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
    Column::text("NOTE").wrapped_to(24),
];

/// The daemon in a line, and a line for each worker.
pub(crate) fn status(status: &DaemonStatus) -> Vec<String> {
    let mut lines = vec![format!(
        "framepackd {} has been up for {:.0} s (pid {}): {} queued, {} running",
        status.version, status.uptime_secs, status.pid, status.queued, status.running
    )];
    lines.extend(paused(status).map(|reason| format!("no job starts: {reason}")));
    for note in notes(status) {
        lines.push(format!("degraded: {}", note.code.behind(&note.message)));
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
        let what = note.code.behind(&note.message);
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

/// How much a worker keeps of its models, in a word.
pub(crate) fn temperature(temperature: Temperature) -> &'static str {
    match temperature {
        Temperature::Cold => "cold",
        Temperature::Hot => "hot",
        Temperature::Warm => "warm",
    }
}

/// What a worker keeps of its models.
fn keeps(worker: &WorkerStatus) -> Option<&'static str> {
    let kept = worker.temperature.filter(|kept| *kept != Temperature::Cold);
    kept.map(temperature)
}

/// Since when it lasts and when it is tried again.
fn times(outage: &Outage, wording: Wording) -> String {
    match outage.next_try {
        Some(next) if wording.is_due(next) => {
            format!(
                "since {}; tried again any moment",
                wording.time(outage.since)
            )
        }
        _ => outage.times_as(|time| wording.time(time)),
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
        "{who} until the farm is mended: {} ({}){}",
        outage.code.behind(&outage.message),
        times(outage, wording),
        hint.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use framepack_jobs::Code;

    use super::*;
    use crate::rows::example::now;

    #[test]
    fn an_outage_whose_next_try_has_come_is_tried_any_moment() {
        let at = |time: &str| Some(time.parse().unwrap());
        let told = |next_try, wording| {
            let outage = Outage {
                code: Code::MODEL_POINTER.into(),
                message: "a pointer".to_owned(),
                hint: None,
                since: "2026-11-20T22:00:00.000000Z".parse().unwrap(),
                next_try,
                trying: false,
                devices: Vec::new(),
                models: Vec::new(),
            };
            super::outage(&outage, wording)
        };
        let human = Wording::Human { now: now() };
        let past = at("2026-11-23T21:00:00.000000Z");
        let text = told(past, human);
        assert!(text.ends_with("; tried again any moment)"), "{text}");
        let exact = told(past, Wording::Exact);
        assert!(
            exact.contains("tried again at 2026-11-23T21:00:00"),
            "{exact}"
        );
        let comes = told(at("2026-11-23T22:12:00.000000Z"), human);
        assert!(comes.contains("(in 12 min)"), "{comes}");
    }
}
