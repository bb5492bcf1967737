//! What a worker's process is started with: rows of the table that are the farm's alone.

use framepack_jobs::{
    MemoryAmount, Row,
    settings::{
        ATTENTION, CUDA_ALLOC_CONF, FAST_START, FLASH_SDP, Farm, HOST_BUDGET_GB, KERNELS,
        MEM_EFFICIENT_SDP, Value,
    },
};

/// What computes the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// The engine's own kernels, as far as there are any.
    On,
    /// Torch's operations, as in the original.
    Off,
}

/// Settings of a worker's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// What it may page-lock of the host's memory.
    pub host_budget: MemoryAmount,
    /// What computes attention in jobs that do not say, and is prepared.
    pub attention: String,
    /// Whether it prepares nothing before its first job.
    pub fast_start: bool,
    /// Whether the engine's own kernels compute.
    pub kernels: Kernels,
    /// Whether attention may be computed by the flash kernel.
    pub flash_sdp: bool,
    /// Whether attention may be computed by the memory-efficient kernel.
    pub mem_efficient_sdp: bool,
    /// Options of torch's allocator; empty = the worker's own.
    pub cuda_alloc_conf: String,
}

impl Process {
    pub(crate) fn of(farm: &Farm) -> Self {
        let is_on = |row: &Row| {
            let value = farm.get(row).cloned().or_else(|| row.default_value());
            value == Some(Value::from("on"))
        };
        let attention = farm.get(&ATTENTION).and_then(Value::text);
        let host_budget = farm.get(&HOST_BUDGET_GB);
        let allocator = farm.get(&CUDA_ALLOC_CONF).and_then(Value::text);
        Self {
            host_budget: host_budget.map_or(MemoryAmount::Auto, MemoryAmount::of),
            attention: attention.unwrap_or("auto").to_owned(),
            fast_start: is_on(&FAST_START),
            kernels: if is_on(&KERNELS) {
                Kernels::On
            } else {
                Kernels::Off
            },
            flash_sdp: is_on(&FLASH_SDP),
            mem_efficient_sdp: is_on(&MEM_EFFICIENT_SDP),
            cuda_alloc_conf: allocator.unwrap_or_default().to_owned(),
        }
    }
}

impl Default for Process {
    /// With which nobody has set anything.
    fn default() -> Self {
        Self::of(&Farm::default())
    }
}
