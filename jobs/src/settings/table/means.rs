//! Ways of rendering a video: profiles, memory and attention. They change the time and the memory that it takes.

use crate::settings::{
    row::{Counts, Fallback, Kind, Row, Scope},
    standing::Standing,
};

/// Names of the profiles.
pub(in crate::settings) const PROFILES: [&str; 6] = [
    "auto",
    "standard",
    "bnb4",
    "aggressive",
    "extreme",
    "tensorrt",
];

/// A named set of settings.
pub static PROFILE: Row = Row {
    key: "profile",
    kind: Kind::Word {
        noun: "a profile",
        words: &PROFILES,
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["start.sh", "memory levels 1 to 4"],
    about: "a named set of settings, beneath what a job or the configuration says itself; `config show --profile NAME` prints it; a job's profile replaces the farm's",
};

/// Named sets of settings.
pub static PRESET: Row = Row {
    key: "preset",
    kind: Kind::Names,
    default: Fallback::Text(""),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &[],
    about: "named sets of settings: `quality`, `hands`, and those under `presets` of the configuration; of several, the last one wins, and all win over a profile; a job's replace the farm's, `[]` with none",
};

/// What computes attention.
pub static ATTENTION: Row = Row {
    key: "attention",
    kind: Kind::Word {
        noun: "an attention mode",
        words: &["auto", "off", "standard", "aggressive"],
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["--xformers-mode", "FRAMEPACK_XFORMERS_MODE"],
    about: "what computes attention: `auto` is what the device keeps; `off` two matrix products, in chunks that the memory plan counts; `standard` the memory-efficient kernel, the default of the Python application; `aggressive` the fastest that passes a check on the device. A job whose own key asks for what the device has not is refused; asked for by others, it runs without it",
};

/// Device memory kept free.
pub static PRESERVE_GB: Row = Row {
    key: "memory.preserve_gb",
    kind: Kind::Number {
        range: 2.0..=128.0,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["GPU Memory Preservation (GB)", "preserved_memory_gb"],
    about: "gigabytes of device memory kept free beside the transformer's weights (in the Python application 6 to 128, by default 6); `auto` keeps what a step needs, and less than 6 warns",
};

/// Host memory for weights.
pub static HOST_BUDGET_GB: Row = Row {
    key: "memory.host_budget_gb",
    kind: Kind::Number {
        range: 1.0..=4096.0,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Farm,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &[],
    about: "gigabytes of host memory that a worker may page-lock for weights; `auto` is what is free when a job starts, minus 4 GB",
};

/// Size of the pieces in which weights reach the device.
pub static LOAD_CHUNK_MB: Row = Row {
    key: "memory.load_chunk_mb",
    kind: Kind::Integer {
        range: 64..=1024,
        or: None,
    },
    default: Fallback::Integer(256),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["load_model_chunked(max_chunk_size_mb)"],
    about: "mebibytes in which weights reach the device; as much host memory is taken beside the model's own",
};

/// How thoroughly memory is freed.
pub static OFFLOAD: Row = Row {
    key: "memory.offload",
    kind: Kind::Word {
        noun: "a way of offloading",
        words: &["normal", "aggressive"],
    },
    default: Fallback::Text("normal"),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["offload_model_from_device_for_memory_preservation(aggressive)"],
    about: "what leaves the device before a section is decoded: `normal` as much as decoding needs; `aggressive` on beyond that, to 80 %, with the allocator's cache emptied every 10 modules",
};

/// How weights travel.
pub static BACKEND: Row = Row {
    key: "memory.backend",
    kind: Kind::Word {
        noun: "a memory backend",
        words: &["v1", "v2"],
    },
    default: Fallback::Text("v2"),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &["--use-memory-v2"],
    about: "how weights travel: `v2` from page-locked memory beside the computation; `v1` in plain copies that the computation waits for",
};
