//! The queue, one job a row.

use framepack_ipc::{estimate::Moment, queue::QueueEntry};
use framepack_jobs::Timestamp;

use crate::{
    output,
    shown_state::of_standing,
    terminal::{
        Terminal,
        style::Style,
        table::{Cell, Column, Table},
        time,
        wording::Wording,
    },
};

const COLUMNS: [Column; 9] = [
    Column::number("TURN"),
    Column::number("ID"),
    Column::text("STATE"),
    Column::number("PRIORITY").rank(5),
    Column::text("GROUP").cut_to(6).rank(4),
    Column::text("NAME").cut_to(12),
    Column::text("BEGINS").rank(1),
    Column::text("ENDS").rank(3),
    Column::text("REASON").wrapped_to(24).rank(2),
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

/// The same for people, with when each job begins and ends.
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
            begins(job, now).into(),
            job.ends.as_ref().map(expected).unwrap_or_default().into(),
            Cell::new(Wording::Human { now }.sentence(&job.reason), Style::Dim),
        ]);
    }
    table
}

fn turn(job: &QueueEntry) -> String {
    job.turn.map(|turn| turn.to_string()).unwrap_or_default()
}

/// As far as it can be foreseen; else when the job goes on by itself, where that is known.
fn begins(job: &QueueEntry, now: Timestamp) -> String {
    match (&job.begins, job.until) {
        (Some(Moment::Unknown { .. }) | None, Some(until)) => time::next(until, now),
        (begins, _) => begins.as_ref().map(expected).unwrap_or_default(),
    }
}

/// `in 4 min 10 s`, `in 3 to 6 min`, `unknown`, or `now`.
fn expected(moment: &Moment) -> String {
    match moment {
        Moment::Unknown { .. } => "unknown".to_owned(),
        Moment::Known(expected) if expected.estimate.high_secs < 1.0 => "now".to_owned(),
        Moment::Known(expected) => format!("in {}", expected.estimate.span()),
    }
}

/// `all jobs end in about 2 h 5 min (scaled from 2 jobs)`, or why nobody knows.
pub(crate) fn drains(drains: &Moment) -> String {
    match drains {
        Moment::Known(_) => format!("all jobs end {drains}"),
        Moment::Unknown { unknown } => format!("not known when all jobs end: {unknown}"),
    }
}

#[cfg(test)]
mod tests {
    use framepack_ipc::{
        estimate::{Basis, Estimate},
        queue::Standing,
    };
    use framepack_jobs::JobId;

    use super::*;

    #[test]
    fn times_are_told_from_now_as_far_as_they_are_known() {
        let now: Timestamp = "2026-11-23T22:00:00.000000Z".parse().unwrap();
        let estimate = |secs: f64, high_secs| Estimate {
            secs,
            low_secs: secs * 0.9,
            high_secs,
            basis: Basis::Measured { jobs: 3 },
        };
        let then = |estimate| Some(Moment::after(now, estimate));
        let entry = |begins, until| QueueEntry {
            turn: None,
            id: JobId(1),
            name: "cat".to_owned(),
            standing: Standing::Ready,
            priority: 0,
            group: None,
            reason: "why".to_owned(),
            until,
            begins,
            ends: None,
        };
        for (begins, expected) in [
            (then(estimate(250.0, 260.0)), "in 4 min 10 s"),
            (then(estimate(200.0, 360.0)), "in 3 to 6 min"),
            (then(estimate(0.0, 0.5)), "now"),
            (Some(Moment::unknown("held")), "unknown"),
            (None, ""),
        ] {
            assert_eq!(super::begins(&entry(begins, None), now), expected);
        }
        for (until, expected) in [
            ("2026-11-23T22:00:00.000000Z", "any moment".to_owned()),
            ("2026-11-23T21:00:00.000000Z", "any moment".to_owned()),
            ("2026-11-24T07:00:00.000000Z", {
                let opens = "2026-11-24T07:00:00.000000Z".parse().unwrap();
                time::moment(opens, now)
            }),
        ] {
            let until = Some(until.parse().unwrap());
            let waits = entry(Some(Moment::unknown("its window is closed")), until);
            assert_eq!(super::begins(&waits, now), expected);
        }
    }
}
