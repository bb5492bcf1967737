//! The memory that decoding may take.

use crate::plan::budget::Budget;

/// What decoding may take beside all weights that stay.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct DecodeRoom {
    /// Were the device otherwise empty.
    pub(in crate::plan) card_bytes: u64,
    /// As it is.
    pub(in crate::plan) free_bytes: u64,
}

impl DecodeRoom {
    /// Beside so many bytes.
    pub(in crate::plan) fn beside(stays_bytes: u64, budget: &Budget) -> Self {
        let empty = Budget {
            free_bytes: budget.total_bytes,
            foreign_bytes: 0,
            ..*budget
        };
        Self {
            card_bytes: empty.usable_bytes().saturating_sub(stays_bytes),
            free_bytes: budget.usable_bytes().saturating_sub(stays_bytes),
        }
    }
}
