//! The device as a resource: which one, how much memory it has, and torch's failures as typed errors.

mod catch;
mod identity;
mod memory;
mod runtime;
mod shim;

pub use catch::{catch, log_panics};
pub use identity::{label, model_name, total_bytes};
pub use memory::{
    MemoryInfo, empty_cache, host_available_bytes, memory_info, peak_bytes, reset_peak,
};
pub use runtime::{init, open};
