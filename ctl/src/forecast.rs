//! When jobs of the queue begin and end, for people.

use framepack_ipc::{estimate::Moment, queue::QueueEntry};

use crate::{output::Table, rows};

/// The queue as on a terminal, one job a row.
pub(crate) fn of_queue(jobs: &[QueueEntry]) -> Table<9> {
    let Table { header, rows } = rows::of_queue(jobs);
    let times = jobs
        .iter()
        .map(|job| [job.begins.as_ref(), job.ends.as_ref()].map(cell));
    Table {
        header: with(header, ["BEGINS", "ENDS"]),
        rows: rows
            .into_iter()
            .zip(times)
            .map(|(row, times)| with(row, times))
            .collect(),
    }
}

/// Two cells before the last one, which is the longest.
fn with<T>(
    [turn, id, state, priority, group, name, reason]: [T; 7],
    [begins, ends]: [T; 2],
) -> [T; 9] {
    [turn, id, state, priority, group, name, begins, ends, reason]
}

/// `in 4 min 10 s`, `in 3 to 6 min`, `unknown`, or nothing where nothing lies ahead.
fn cell(moment: Option<&Moment>) -> String {
    match moment {
        None => String::new(),
        Some(Moment::Unknown { .. }) => "unknown".to_owned(),
        Some(Moment::Known(expected)) if expected.estimate.high_secs < 1.0 => "now".to_owned(),
        Some(Moment::Known(expected)) => format!("in {}", expected.estimate.span()),
    }
}

/// `all jobs end in about 2 h 5 min (scaled from 2 jobs)`.
pub(crate) fn drains(drains: &Moment) -> String {
    format!("all jobs end {drains}")
}

#[cfg(test)]
mod tests {
    use framepack_ipc::{
        estimate::{Basis, Estimate},
        queue::Standing,
    };
    use framepack_jobs::{JobId, Timestamp};

    use super::*;

    #[test]
    fn times_stand_before_the_reason() {
        let estimate = |secs: f64, high_secs| Estimate {
            secs,
            low_secs: secs * 0.9,
            high_secs,
            basis: Basis::Measured { jobs: 3 },
        };
        let then = |estimate| Some(Moment::after(Timestamp::now(), estimate));
        let entry = |id, begins, ends| QueueEntry {
            turn: None,
            id: JobId(id),
            name: "cat".to_owned(),
            standing: Standing::Ready,
            priority: 0,
            group: None,
            reason: "why".to_owned(),
            until: None,
            begins,
            ends,
        };
        let table = of_queue(&[
            entry(1, None, then(estimate(250.0, 260.0))),
            entry(2, then(estimate(0.0, 0.5)), then(estimate(200.0, 360.0))),
            entry(3, Some(Moment::unknown("held")), None),
        ]);
        let times: Vec<&[String]> = table.rows.iter().map(|row| &row[6..]).collect();
        assert_eq!(table.header[6..], ["BEGINS", "ENDS", "REASON"]);
        assert_eq!(times[0], ["", "in 4 min 10 s", "why"]);
        assert_eq!(times[1], ["now", "in 3 to 6 min", "why"]);
        assert_eq!(times[2], ["unknown", "", "why"]);
    }
}
