//! Amounts of memory behind keys of the file.

use std::ops::RangeInclusive;

use framepack_jobs::MemoryAmount;
use framepack_yaml::{Node, ProblemKind, Problems, Table};

/// The amount behind a key of the file.
pub(crate) fn amount(
    table: &Table<'_>,
    key: &str,
    range: &RangeInclusive<f64>,
    problems: &mut Problems,
) -> Option<MemoryAmount> {
    let Node::Text(text) = table.get(key)? else {
        return table.number(key, range, problems).map(MemoryAmount::of_gb);
    };
    let parsed = MemoryAmount::parse(text, range);
    parsed
        .map_err(|err| {
            problems.push(table.problem(ProblemKind::OutOfRange, key, err.to_string()));
        })
        .ok()
}
