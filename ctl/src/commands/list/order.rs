//! The order of a list.

use std::cmp::Ordering;

use framepack_jobs::Job;

use crate::cli::{Order, SortKey};

/// Sorts the jobs; those that are equal in the key stay in the order of their numbers.
pub(super) fn sort(jobs: &mut [Job], order: Order) {
    jobs.sort_by(|a, b| {
        let of_keys = compare(a, b, order.key);
        let of_keys = if order.is_descending {
            of_keys.reverse()
        } else {
            of_keys
        };
        unfinished_last(a, b, order.key)
            .then(of_keys)
            .then(a.id.cmp(&b.id))
    });
}

fn compare(a: &Job, b: &Job, key: SortKey) -> Ordering {
    match key {
        SortKey::Id => a.id.cmp(&b.id),
        SortKey::Name => a.name.cmp(&b.name),
        SortKey::State => a.state.name().cmp(&b.state.name()),
        SortKey::Submitted => a.submitted_at.cmp(&b.submitted_at),
        SortKey::Finished => a.state.finished_at().cmp(&b.state.finished_at()),
        SortKey::Priority => a.schedule.priority.cmp(&b.schedule.priority),
    }
}

/// They have no time to be sorted by, from whichever end.
fn unfinished_last(a: &Job, b: &Job, key: SortKey) -> Ordering {
    match key {
        SortKey::Finished => b.is_finished().cmp(&a.is_finished()),
        _ => Ordering::Equal,
    }
}
