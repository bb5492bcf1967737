//! What a worker's process is started with: the farm's alone.

use crate::settings::{
    row::{Counts, Fallback, Kind, Row, Scope},
    standing::Standing,
};

/// What is prepared before the first job.
pub static FAST_START: Row = Row {
    key: "worker.fast_start",
    kind: Kind::Switch,
    default: Fallback::Text("off"),
    scope: Scope::Farm,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["FRAMEPACK_FAST_START", "--fast-start"],
    about: "`off`: a worker prepares everything before it is ready (device checked, attention chosen, encoders mapped); `on`: nothing, and the first job takes what it needs from the disk",
};

/// Whether the engine's own kernels compute.
pub static KERNELS: Row = Row {
    key: "worker.kernels",
    kind: Kind::Switch,
    default: Fallback::Text("on"),
    scope: Scope::Farm,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &[],
    about: "whether transformer and VAE are computed by the engine's own kernels, in fewer passes over memory; `off`: by torch's operations in the original's order, slower and bit for bit what it computes",
};

/// Whether the flash kernel may be used.
pub static FLASH_SDP: Row = Row {
    key: "worker.flash_sdp",
    kind: Kind::Switch,
    default: Fallback::Text("on"),
    scope: Scope::Farm,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["PYTORCH_ENABLE_FLASH_SDP"],
    about: "whether attention may be computed by the flash kernel",
};

/// Whether the memory-efficient kernel may be used.
pub static MEM_EFFICIENT_SDP: Row = Row {
    key: "worker.mem_efficient_sdp",
    kind: Kind::Switch,
    default: Fallback::Text("on"),
    scope: Scope::Farm,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["PYTORCH_ENABLE_MEM_EFFICIENT_SDP"],
    about: "whether attention may be computed by the memory-efficient kernel",
};

/// Options of torch's allocator.
pub static CUDA_ALLOC_CONF: Row = Row {
    key: "worker.cuda_alloc_conf",
    kind: Kind::Text { max_bytes: 1024 },
    default: Fallback::Text(""),
    scope: Scope::Farm,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"],
    about: "options of torch's allocator for the device's memory, as in `max_split_size_mb:128`; empty: the worker's own",
};
