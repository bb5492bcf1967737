//! The device as a resource: which one, how much memory it has, and torch's failures as typed errors.

mod catch;
#[allow(dead_code, reason = "what streams weights is built on this")]
mod host;
mod identity;
mod memory;
mod runtime;
mod shim;
#[allow(dead_code, reason = "what streams weights is built on this")]
mod stream;

pub use catch::{catch, log_panics};
#[allow(unused_imports, reason = "what streams weights is built on this")]
pub(crate) use host::{HostBuffer, HostTensor};
pub use identity::{label, model_name, total_bytes};
pub use memory::{
    AllocatorStats, MemoryInfo, allocator_stats, empty_cache, host_available_bytes, memory_info,
    peak_bytes, reset_peak,
};
pub use runtime::{init, open};
#[allow(unused_imports, reason = "what streams weights is built on this")]
pub(crate) use stream::{Event, Stream};
