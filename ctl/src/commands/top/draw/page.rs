//! The farm, its jobs and what is asked or told of them, in as many lines as the screen has.

use framepack_ipc::text::span;
use framepack_jobs::Timestamp;

use super::{Look, Row};
use crate::{
    commands::top::{
        event::Remark,
        keys::FOOTER,
        preview::Shown,
        state::{Log, Mode, Top},
    },
    farm::{self, Line},
    terminal::{Terminal, picture::half_blocks, style::Style, symbol::Symbol},
};

/// Lines that the queue has at least, with its heading.
const MIN_QUEUE_LINES: usize = 4;
/// From this height on there are empty lines between the parts, and what failed lately.
const TALL_LINES: usize = 32;
/// Over what failed.
const FAILED: &str = "Failed in the last 24 h";
/// Lines of a picture, and what is above it: an empty line and its heading.
const MIN_PICTURE_LINES: usize = 4;
const MAX_PICTURE_LINES: usize = 12;
const LINES_ABOVE_PICTURE: usize = 2;
/// Lines that the queue has before a picture may take any, with its heading.
const QUEUE_LINES_BESIDE_PICTURE: usize = 8;

pub(super) fn rows(top: &Top, now: Timestamp, height: usize, terminal: &Terminal) -> Vec<Row> {
    let mut rows = vec![farm::daemon(&top.view.farm, terminal).into()];
    rows.extend(notices(top, now, (height / 10).max(1), terminal));
    rows.push(heading("Devices"));
    rows.extend(first(
        farm::devices(&top.view.farm, terminal),
        (height / 5).max(1),
    ));
    let machine = farm::machine(&top.view.farm, terminal).into_iter();
    if height >= TALL_LINES {
        rows.extend(machine.map(Row::from));
        rows.extend(failures(top, now, terminal));
        rows.push(Row::default());
    } else {
        rows.extend(machine.take(1).map(Row::from));
        let failed = farm::failures_in_a_line(&top.view.farm, "f shows why", terminal);
        rows.extend(failed.map(Row::from));
    }
    rows.push(heading("Running"));
    rows.extend(running(top, (height / 4).max(1), terminal));
    let room = height.saturating_sub(rows.len());
    rows.extend(preview(top, room, terminal));
    if height >= TALL_LINES {
        rows.push(Row::default());
    }
    // The last line is the footer's.
    let left = height.saturating_sub(rows.len() + 1);
    match &top.mode {
        Mode::Log(log) => rows.extend(log_lines(top, log, left, terminal)),
        Mode::Failures => {
            rows.push(heading(FAILED));
            let lines = farm::failures_in_full(&top.view.farm, now, terminal);
            rows.extend(first(or_nothing(lines), left.saturating_sub(1)));
        }
        _ => rows.extend(waiting((top, now), left.max(MIN_QUEUE_LINES), terminal)),
    }
    rows.truncate(height.saturating_sub(1));
    rows.resize(height.saturating_sub(1), Row::default());
    rows.push(footer(top, terminal).into());
    rows
}

fn heading(text: &str) -> Row {
    Line::new(text, Style::Heading).into()
}

/// That the daemon does not answer, or else what it says is wrong: so many of that, and how much more there is.
fn notices(top: &Top, now: Timestamp, most: usize, terminal: &Terminal) -> Vec<Row> {
    let notices = match &top.lost {
        None => farm::notices(&top.view.farm, now, terminal),
        Some((why, since)) => {
            let symbol = terminal.symbols.text(Symbol::Failed);
            let since = span(now.secs_since(*since));
            let text = format!("{symbol} no answer for {since}, trying again each second: {why}");
            vec![Line::new(text, Style::Bad)]
        }
    };
    let more = notices.len().saturating_sub(most);
    let shown = notices.into_iter().take(most);
    let mut lines: Vec<Line> = shown
        .flat_map(|notice| notice.wrapped(terminal.width))
        .collect();
    if more > 0 {
        lines.push(Line::new(format!("  and {more} more"), Style::Dim));
    }
    lines.into_iter().map(Row::from).collect()
}

/// As many of these as fit; the last one says how many do not.
fn first(mut lines: Vec<Line>, most: usize) -> Vec<Row> {
    let excess = lines.len().saturating_sub(most);
    if excess > 0 {
        lines.truncate(most.saturating_sub(1));
        lines.push(Line::new(format!("  and {} more", excess + 1), Style::Dim));
    }
    lines.into_iter().map(Row::from).collect()
}

/// What failed lately, under a heading.
fn failures(top: &Top, now: Timestamp, terminal: &Terminal) -> Vec<Row> {
    let lines = farm::failures(&top.view.farm, now, terminal);
    if lines.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![Row::default(), heading(FAILED)];
    rows.extend(lines.into_iter().map(Row::from));
    rows
}

/// The lines, or one that says that there are none.
fn or_nothing(lines: Vec<Line>) -> Vec<Line> {
    if lines.is_empty() {
        return vec![Line::new("  nothing", Style::Dim)];
    }
    lines
}

fn running(top: &Top, most: usize, terminal: &Terminal) -> Vec<Row> {
    let lines = or_nothing(farm::running(&top.view.farm, terminal));
    let ids = top.running().iter().map(|job| job.id);
    let selected = ids.into_iter().position(|id| Some(id) == top.selected);
    window(lines, selected, most)
}

/// The picture of a running job, where there is room for it beside the queue: an empty line before that, and the footer.
fn preview(top: &Top, room: usize, terminal: &Terminal) -> Vec<Row> {
    let queue = (top.waiting().count() + 1).clamp(MIN_QUEUE_LINES, QUEUE_LINES_BESIDE_PICTURE);
    let most = room
        .saturating_sub(queue + LINES_ABOVE_PICTURE + 2)
        .min(MAX_PICTURE_LINES);
    let shown = top
        .preview
        .as_ref()
        .filter(|shown| Some(shown.job) == top.pictured());
    let Some(Shown { job, of, picture }) = shown.filter(|_| most >= MIN_PICTURE_LINES) else {
        return Vec::new();
    };
    let mut rows = vec![Row::default(), heading(&format!("Job {job}: {of}"))];
    let lines = half_blocks(picture, terminal.width, most).into_iter();
    rows.extend(lines.map(|pixels| Row {
        pixels,
        ..Row::default()
    }));
    rows
}

fn waiting((top, now): (&Top, Timestamp), most: usize, terminal: &Terminal) -> Vec<Row> {
    let count = top.waiting().count();
    let mut rows = vec![heading(&format!("Queue ({count})"))];
    let selected = top
        .waiting()
        .position(|entry| Some(entry.id) == top.selected);
    let most = most.saturating_sub(1);
    let begin = first_shown(selected, most);
    // Of a long queue only what is shown is laid out.
    let lines = farm::waiting(top.waiting().skip(begin).take(most), now, terminal);
    let selected = selected.map(|selected| selected - begin);
    rows.extend(window(lines, selected, most));
    rows
}

/// As many lines as fit, among them the selected one.
fn window(lines: Vec<Line>, selected: Option<usize>, most: usize) -> Vec<Row> {
    let begin = first_shown(selected, most);
    let rows = lines.into_iter().enumerate().skip(begin).take(most);
    let row = |(n, line)| Row {
        line,
        look: if selected == Some(n) {
            Look::Selected
        } else {
            Look::Plain
        },
        pixels: Vec::new(),
    };
    rows.map(row).collect()
}

/// The first of so many lines that are shown.
fn first_shown(selected: Option<usize>, most: usize) -> usize {
    selected.map_or(0, |selected| (selected + 1).saturating_sub(most))
}

fn log_lines(top: &Top, log: &Log, most: usize, terminal: &Terminal) -> Vec<Row> {
    let name = terminal.cut(top.name(log.job), terminal.width / 2);
    let mut rows = vec![heading(&format!("Log of job {} {name}", log.job))];
    if log.lines.is_empty() {
        rows.push(Line::new("  nothing yet", Style::Dim).into());
        return rows;
    }
    let shown = most.saturating_sub(1);
    let end = log.lines.len() - log.below.min(log.lines.len());
    let begin = end.saturating_sub(shown);
    rows.extend(
        log.lines
            .range(begin..end)
            .map(|line| Line::plain(line).into()),
    );
    rows
}

/// The last line: a question, what became of the last change, or else the keys.
fn footer(top: &Top, terminal: &Terminal) -> Line {
    match (&top.mode, &top.remark) {
        (Mode::Cancel(job), _) => {
            const KEYS: &str = "? y: yes, v: with a video of what it has, n: no";
            let job_number = format!("Cancel job {job} ");
            let room = terminal.width.saturating_sub(job_number.len() + KEYS.len());
            let name = terminal.cut(top.name(*job), room);
            Line::new(format!("{job_number}{name}{KEYS}"), Style::Warning)
        }
        (_, Some(Remark::Done(told))) => Line::new(told, Style::Good),
        (_, Some(Remark::Refused(told))) => Line::new(told, Style::Bad),
        (Mode::Failures, None) => Line::new("Esc back  q quit", Style::Dim),
        (Mode::Log(_), None) => Line::new("j/k scroll  Esc back  q quit", Style::Dim),
        _ => Line::new(FOOTER, Style::Dim),
    }
}
