//! The queue, one job a row.

use framepack_ipc::queue::QueueEntry;
use framepack_jobs::Timestamp;

use crate::{
    output,
    shown_state::of_standing,
    terminal::{
        Terminal,
        style::Style,
        table::{Cell, Column, Table},
        time,
    },
};

const COLUMNS: [Column; 8] = [
    Column::number("TURN"),
    Column::number("ID"),
    Column::text("STATE"),
    Column::number("PRIORITY").rank(4),
    Column::text("GROUP").cut_to(6).rank(3),
    Column::text("NAME").cut_to(12),
    Column::text("UNTIL").rank(2),
    Column::text("REASON").cut_to(24).rank(1),
];

/// Turn, number, state, priority, group, name and reason.
pub(crate) fn of_queue(jobs: &[QueueEntry]) -> output::Table<7> {
    let row = |job: &QueueEntry| {
        [
            turn(job),
            job.id.to_string(),
            job.standing.as_str().to_owned(),
            job.priority.to_string(),
            job.group.clone().unwrap_or_default(),
            job.name.clone(),
            job.reason.clone(),
        ]
    };
    output::Table {
        header: ["TURN", "ID", "STATE", "PRIORITY", "GROUP", "NAME", "REASON"],
        rows: jobs.iter().map(row).collect(),
    }
}

/// The same for people, with when a job goes on by itself.
pub(crate) fn table_of_queue(jobs: &[QueueEntry], terminal: &Terminal, now: Timestamp) -> Table {
    let mut table = Table::new(COLUMNS);
    for job in jobs {
        let (symbol, style) = of_standing(job.standing);
        let state = format!(
            "{} {}",
            terminal.symbols.text(symbol),
            job.standing.as_str()
        );
        let priority = Some(job.priority).filter(|priority| *priority != 0);
        let until = job.until.map(|until| time::moment(until, now));
        table.push([
            Cell::from(turn(job)),
            job.id.to_string().into(),
            Cell::new(state, style),
            priority
                .map(|priority| priority.to_string())
                .unwrap_or_default()
                .into(),
            job.group.clone().unwrap_or_default().into(),
            Cell::new(&job.name, Style::Strong),
            until.unwrap_or_default().into(),
            Cell::new(&job.reason, Style::Dim),
        ]);
    }
    table
}

fn turn(job: &QueueEntry) -> String {
    job.turn.map(|turn| turn.to_string()).unwrap_or_default()
}
