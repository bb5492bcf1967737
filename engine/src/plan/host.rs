//! Which streamed blocks wait in page-locked host memory, and how much of that there is.

use super::{budget::Budget, limits::Limits};
use crate::{
    error::PlanError,
    offload::{Residency, evenly_spread},
};

/// Host memory that is not page-locked unless the settings say so: the system's and our own, …
const HOST_MARGIN_BYTES: u64 = 4 << 30;
/// … but not more than this part of what there is.
const HOST_MARGIN_PART: u64 = 4;

/// Host memory that may be page-locked.
pub(super) fn budget_bytes(budget: &Budget, limits: &Limits) -> u64 {
    let available = budget.host_available_bytes;
    let margin = HOST_MARGIN_BYTES.min(available / HOST_MARGIN_PART);
    let host_bytes = limits.host_budget_bytes.unwrap_or(available - margin);
    let host_bytes = host_bytes.min(available);
    let halved = host_bytes.checked_shr(limits.relief.host_halvings);
    // Less than the staging buffers would be too little for any job.
    (halved.unwrap_or(0)).max(host_bytes.min(limits.staging_bytes()))
}

/// Which streamed blocks wait in the arena: all if they fit in the budget, else as many as fit beside the staging
/// buffers, the others evenly spread among them.
pub(super) fn pinned(
    block_bytes: &[u64],
    residency: &Residency,
    (budget_bytes, staging_bytes): (u64, u64),
) -> Result<Vec<bool>, PlanError> {
    let blocks = residency.resident.len();
    let streamed: Vec<usize> = (0..blocks).filter(|&i| !residency.resident[i]).collect();
    let choose = |count: usize| {
        let mut pinned = vec![false; blocks];
        for (&block, is_pinned) in streamed.iter().zip(evenly_spread(count, streamed.len())) {
            pinned[block] = is_pinned;
        }
        pinned
    };
    let staging_for = |count: usize| {
        if count == streamed.len() {
            0
        } else {
            staging_bytes
        }
    };
    (0..=streamed.len())
        .rev()
        .map(|count| (choose(count), staging_for(count)))
        .find(|(pinned, staging)| sum_where(block_bytes, pinned) + staging <= budget_bytes)
        .map(|(pinned, _)| pinned)
        .ok_or(PlanError::Host {
            needed_bytes: staging_for(0),
            budget_bytes,
        })
}

/// Bytes of the chosen blocks.
pub(super) fn sum_where(bytes: &[u64], chosen: &[bool]) -> u64 {
    let pairs = bytes.iter().zip(chosen);
    pairs.filter(|(_, chosen)| **chosen).map(|(b, _)| b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::relief::Relief;

    #[test]
    fn each_kill_for_want_of_memory_halves_what_is_page_locked() {
        const GIB: u64 = 1 << 30;
        let budget = Budget {
            host_available_bytes: 64 * GIB,
            ..Budget::default()
        };
        let staging = Limits::default().staging_bytes();
        for (host_budget_bytes, halvings, expected) in [
            (None, 0, 60 * GIB),
            (None, 1, 30 * GIB),
            (None, 2, 15 * GIB),
            (None, 40, staging),
            (None, 400, staging),
            (Some(8 * GIB), 1, 4 * GIB),
            (Some(staging / 2), 1, staging / 2),
        ] {
            let limits = Limits {
                host_budget_bytes,
                relief: Relief {
                    host_halvings: halvings,
                    ..Relief::default()
                },
                ..Limits::default()
            };
            let found = budget_bytes(&budget, &limits);
            assert_eq!(found, expected, "{host_budget_bytes:?} {halvings}");
        }
    }
}
