//! Devices with their memory, temperature and power, and the machine's own memory and disks.

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    farm::{DeviceStatus, FarmStatus, FolderSpace, GpuFigures, Space},
    text::span,
    worker::Temperature,
};

use super::{bar, grid::Grid, line::Line};
use crate::terminal::{Terminal, size::bytes, style::Style, symbol::Symbol};

/// Columns of a bar.
const BAR: usize = 10;
/// Between the machine's memory and disks.
const GAP: &str = "   ";
/// From this width on a device has its whole name, and says what others hold of it.
const WIDE: usize = 100;
/// Figures that are older say how old they are.
const FRESH_SECS: f64 = 15.0;
/// What others hold of a device is told from this on.
const FOREIGN_BYTES: u64 = 512 << 20;

/// A line for each device, and one for what is wrong with it.
pub(crate) fn devices(farm: &FarmStatus, terminal: &Terminal) -> Vec<Line> {
    let rows = farm.devices.iter().map(|device| cells(device, terminal));
    let grid = Grid {
        flexible: 1,
        least: 8,
        // The bar, whose figures are beside it; power.
        optional: &[3, 6],
        rows: rows.collect(),
    };
    let lines = grid.lines(terminal).into_iter().zip(&farm.devices);
    lines
        .flat_map(|(line, device)| {
            let note = device.worker.note.iter();
            let note = note.map(|note| {
                let symbol = terminal.symbols.text(Symbol::Warning);
                Line::new(format!("  {symbol} {note}"), Style::Warning)
            });
            std::iter::once(line).chain(note)
        })
        .collect()
}

fn cells(device: &DeviceStatus, terminal: &Terminal) -> Vec<Line> {
    let worker = &device.worker;
    let name = worker.device_name.as_deref().unwrap_or_default();
    let name = if terminal.width < WIDE {
        short(name)
    } else {
        name
    };
    let mut cells = vec![
        Line::new(&worker.device, Style::Strong),
        Line::plain(name),
        state(worker),
    ];
    if let Some(gpu) = &device.gpu {
        cells.extend(figures(gpu, terminal));
    }
    cells
}

/// Without what all of a maker's devices are called.
fn short(name: &str) -> &str {
    let without = ["NVIDIA ", "GeForce "];
    without
        .iter()
        .fold(name, |name, maker| name.strip_prefix(maker).unwrap_or(name))
}

/// What the worker does, or keeps while it does nothing.
fn state(worker: &WorkerStatus) -> Line {
    match (worker.state, worker.temperature) {
        (WorkerState::Busy, _) => Line::new("busy", Style::Active),
        (WorkerState::Idle, Some(Temperature::Hot)) => Line::new("idle, hot", Style::Good),
        (WorkerState::Idle, Some(Temperature::Warm)) => Line::new("idle, warm", Style::Good),
        (WorkerState::Idle, Some(Temperature::Cold)) => Line::new("idle, cold", Style::Good),
        (WorkerState::Idle, None) => Line::new("idle", Style::Good),
        (WorkerState::Starting, _) => Line::new("starting", Style::Waiting),
        (WorkerState::Down, _) => Line::new("down", Style::Bad),
        (WorkerState::Faulty, _) => Line::new("disabled", Style::Bad),
        (WorkerState::Unknown, _) => Line::plain("unknown"),
    }
}

fn figures(gpu: &GpuFigures, terminal: &Terminal) -> [Line; 5] {
    let celsius = gpu
        .temperature_celsius
        .map(|celsius| format!("{celsius:.0} °C"));
    let watts = gpu.power_watts.map(|watts| format!("{watts:.0} W"));
    let is_wide = terminal.width >= WIDE;
    let foreign = gpu
        .foreign_bytes
        .filter(|bytes| is_wide && *bytes >= FOREIGN_BYTES);
    let foreign = foreign.map(|held| format!("{} by others", bytes(held)));
    let old = Some(gpu.age_secs).filter(|age| *age > FRESH_SECS);
    let old = old.map(|age| format!("{} ago", span(age)));
    let beside = [foreign, old].into_iter().flatten().collect::<Vec<_>>();
    [
        bar::load(gpu.used_bytes, gpu.total_bytes, BAR, terminal),
        Line::plain(of(gpu.used_bytes, gpu.total_bytes)),
        Line::plain(celsius.unwrap_or_default()),
        Line::plain(watts.unwrap_or_default()),
        Line::new(beside.join(", "), Style::Dim),
    ]
}

/// `19.2/24.0 GiB`
fn of(used_bytes: u64, total_bytes: u64) -> String {
    let (used, total) = (bytes(used_bytes), bytes(total_bytes));
    match (used.split_once(' '), total.split_once(' ')) {
        (Some((used, unit)), Some((_, same))) if unit == same => format!("{used}/{total}"),
        _ => format!("{used}/{total}"),
    }
}

/// The machine's memory, and what is free where jobs write: `memory ████░░ 41.0/64.0 GiB   outputs 212 GiB free`; in as
/// many lines as that takes, each of whole facts.
pub(crate) fn machine(farm: &FarmStatus, terminal: &Terminal) -> Vec<Line> {
    let mut parts = Vec::new();
    if let Some(host) = farm.host {
        let used = host.total_bytes.saturating_sub(host.free_bytes);
        parts.push(
            Line::new("memory ", Style::Dim)
                .join(bar::load(used, host.total_bytes, BAR, terminal))
                .and(format!(" {}", of(used, host.total_bytes)), Style::Plain),
        );
    }
    parts.extend(disks(&farm.disks));
    let mut lines: Vec<Line> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.columns() + GAP.len() + part.columns() <= terminal.width => {
                *line = std::mem::take(line).and(GAP, Style::Plain).join(part);
            }
            _ => lines.push(part.cut(terminal.width, terminal)),
        }
    }
    lines
}

/// Folders on one file system are told of together.
fn disks(folders: &[FolderSpace]) -> Vec<Line> {
    let mut told: Vec<(String, Option<Space>)> = Vec::new();
    let is_same = |one: &Space, other: &Space| {
        (one.total_bytes, one.free_bytes) == (other.total_bytes, other.free_bytes)
    };
    for FolderSpace { folder, space, .. } in folders {
        let same = told.iter_mut().find(|(_, other)| match (space, other) {
            (Some(space), Some(other)) => is_same(space, other),
            _ => false,
        });
        match same {
            Some((names, _)) => *names = format!("{names}, {folder}"),
            None => told.push((folder.clone(), *space)),
        }
    }
    told.into_iter()
        .map(|(names, space)| disk(&names, space))
        .collect()
}

fn disk(names: &str, space: Option<Space>) -> Line {
    let line = Line::new(format!("{names} "), Style::Dim);
    let Some(space) = space else {
        return line.and("not known yet", Style::Dim);
    };
    let line = line.and(format!("{} free", bytes(space.free_bytes)), Style::Plain);
    if space.age_secs > FRESH_SECS {
        return line.and(format!(" {} ago", span(space.age_secs)), Style::Warning);
    }
    line
}
