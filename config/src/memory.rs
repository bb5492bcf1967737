//! Memory of device and host: rows of the table of settings, under `memory` in the file.

use framepack_jobs::{
    MemoryAmount, Row,
    settings::{Farm, HOST_BUDGET_GB, PRESERVE_GB},
};

/// `memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// What a worker keeps free on its device beside the transformer's weights.
    pub preserve: MemoryAmount,
    /// What a worker may page-lock of the host's memory.
    pub host_budget: MemoryAmount,
}

impl Memory {
    pub(crate) fn of(settings: &Farm) -> Self {
        let amount = |row: &Row| {
            settings
                .get(row)
                .map_or(MemoryAmount::Auto, MemoryAmount::of)
        };
        Self {
            preserve: amount(&PRESERVE_GB),
            host_budget: amount(&HOST_BUDGET_GB),
        }
    }
}
