//! Step caches: what a step may reuse of an earlier one.

use crate::settings::{
    row::{Counts, Fallback, Kind, Row, Scope},
    standing::Standing,
};

/// Which cache.
pub static CACHE_KIND: Row = Row {
    key: "cache.kind",
    kind: Kind::Word {
        noun: "a step cache",
        words: &["off", "teacache", "magcache", "fbcache", "simcache", "kv"],
    },
    default: Fallback::Bundle,
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[
        "Use TeaCache",
        "FRAMEPACK_ENABLE_FBCACHE",
        "FRAMEPACK_ENABLE_SIM_CACHE",
        "FRAMEPACK_ENABLE_KV_CACHE",
    ],
    about: "what a step may reuse of an earlier one. `teacache`: all blocks, while the first block's modulated input changes little. `magcache`: all blocks, by FramePack's measured table; which steps is known before the job. `fbcache`: all blocks but the first, while what that one adds changes little. `simcache`: each block by itself, while its input points in the same direction. `kv`: keys and values of text, image and history. All of them change the video. The default is `teacache`, as in the original, where the transformer is of the published model's sizes, and `off` where it is not, unless `cache` in the bundle's framepack.json says otherwise",
};

/// How much may change before a step is computed.
pub static CACHE_THRESHOLD: Row = Row {
    key: "cache.threshold",
    kind: Kind::Number {
        range: 0.0..=1.0,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[
        "FRAMEPACK_FBCACHE_THRESHOLD",
        "FRAMEPACK_SIM_CACHE_THRESHOLD",
    ],
    about: "how much may change before a step is computed again; of SimCache, how similar a block's input must be to be left out. `auto`: 0.15 of TeaCache, 0.1 of MagCache, 0.035 of FBCache, 0.9 of SimCache",
};

/// How often in a row something is reused.
pub static CACHE_MAX_SKIP: Row = Row {
    key: "cache.max_skip",
    kind: Kind::Integer {
        range: 1..=100,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["FRAMEPACK_SIM_CACHE_MAX_SKIP"],
    about: "most steps in a row that reuse something, of SimCache for each block. `auto`: 2 of MagCache, 1 of SimCache, and no limit of TeaCache and FBCache",
};

/// The part of a section that is always computed.
pub static CACHE_RETENTION: Row = Row {
    key: "cache.retention",
    kind: Kind::Number {
        range: 0.0..=1.0,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[],
    about: "the part of a section's steps, from its first, that is always computed. `auto`: 0.25 of MagCache; of the others the first step alone",
};

/// How often keys and values are computed.
pub static CACHE_REFRESH: Row = Row {
    key: "cache.refresh",
    kind: Kind::Integer {
        range: 1..=100,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[],
    about: "of `kv`: keys and values are computed in every so many steps, and in the last one; 1 computes every step. `auto` is 2",
};

/// The memory of caches that keep something of each block.
pub static CACHE_BUDGET_GB: Row = Row {
    key: "cache.budget_gb",
    kind: Kind::Number {
        range: 0.0..=1024.0,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[],
    about: "of `simcache` and `kv`: gigabytes of device memory that they may take, for as many of the last blocks as fit; the other blocks are computed in every step. `auto` is all blocks. `plan` says what a cache takes",
};
