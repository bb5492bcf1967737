//! The device as a resource: which one, how much memory it has, and torch's failures as typed errors.

mod answer;
mod attention;
mod catch;
mod checks;
mod counts;
mod graph;
mod host;
mod identity;
mod idle;
mod peak;
mod product;
mod runtime;
mod shim;
mod shortage;
mod stream;

pub(crate) use answer::answers;
pub use attention::PermittedKernels;
pub(crate) use attention::{
    AttentionKernel, OtherKernels, by_torchs_choice, cudnn_attention, not_torchs_choice,
};
pub(crate) use catch::raise;
pub use catch::{catch, log_panics};
pub use checks::{Check, Outcome, check};
pub use counts::{
    CONTEXT_GROWTH_BYTES, DriverStats, allocator_stats, driver_stats, empty_cache, free_bytes,
    host_available_bytes, peak_bytes, reset_peak,
};
pub(crate) use counts::{cuda_index, host_resident_bytes};
pub(crate) use host::{HostBuffer, HostTensor};
pub(crate) use identity::driver_version;
pub use identity::{label, model_name, total_bytes};
pub(crate) use idle::{Activity, Idle, WorkClock};
pub(crate) use peak::JobPeak;
pub(crate) use product::gelu_product;
pub use runtime::{init, open};
pub use shim::AllocatorStats;
pub(crate) use shim::{checked, raised, torch_version};
pub(crate) use stream::{Event, Stream};
