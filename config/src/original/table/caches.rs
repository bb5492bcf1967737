//! Variables of the step caches, and of the cache of embeddings.

use crate::original::name::{
    Meaning::{Inactive, NotNeeded, Sets},
    Name, Rule,
    Values::{Integer, Number, Switch, Text, Words},
};

const KIND: &[&str] = &["cache.kind"];
const THRESHOLD: &[&str] = &["cache.threshold"];
const MAX_SKIP: &[&str] = &["cache.max_skip"];
const COUNTED: &str = "a report counts what the step cache reused";
const EMBEDDINGS: &str =
    "embeddings are always kept and only reused for exactly the same input, model and device";

/// How the table names the variables for the cache of one encoder.
pub(super) const NAMED_SIZE: &str = "FRAMEPACK_MODULE_CACHE_SIZE_<NAME>";

pub(super) static VARIABLES: [Name; 18] = [
    Name::new(
        "FRAMEPACK_ENABLE_FBCACHE",
        Switch,
        "0 (1 in later versions)",
        Sets {
            keys: KIND,
            rule: Rule::Cache,
            how: "1: `cache.kind` is `fbcache`",
        },
        "reused the blocks behind the first one while its output changed little from one step to the next, however far it had \
         drifted since; did nothing while TeaCache was on, as it is by default",
    ),
    Name::new(
        "FRAMEPACK_FBCACHE_THRESHOLD",
        Number(0.0..=1.0),
        "0.035",
        Sets {
            keys: THRESHOLD,
            rule: Rule::OfCache("fbcache"),
            how: "`cache.threshold`, if `cache.kind` becomes `fbcache`",
        },
        "the change of the first block's output below which the others were reused",
    ),
    Name::new(
        "FRAMEPACK_FBCACHE_VERBOSE",
        Switch,
        "0",
        NotNeeded(COUNTED),
        "printed each decision",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_SIM_CACHE",
        Switch,
        "0 (1 in later versions)",
        Sets {
            keys: KIND,
            rule: Rule::Cache,
            how: "1: `cache.kind` is `simcache`",
        },
        "was never hit, since entries were dropped before their block came again; in later versions its first lookup failed",
    ),
    Name::new(
        "FRAMEPACK_SIM_CACHE_THRESHOLD",
        Number(0.0..=1.0),
        "0.9 (0.8 in later versions)",
        Sets {
            keys: THRESHOLD,
            rule: Rule::OfCache("simcache"),
            how: "`cache.threshold`, if `cache.kind` becomes `simcache`",
        },
        "the similarity from which a block's stored output was to be taken",
    ),
    Name::new(
        "FRAMEPACK_SIM_CACHE_MAX_SKIP",
        Integer(0..=100),
        "1",
        Sets {
            keys: MAX_SKIP,
            rule: Rule::OfCache("simcache"),
            how: "`cache.max_skip`, if `cache.kind` becomes `simcache`",
        },
        "how often in a row a block was to be left out",
    ),
    Name::new(
        "FRAMEPACK_SIM_CACHE_MAX_ENTRIES",
        Integer(0..=i64::MAX),
        "12",
        NotNeeded("a step cache keeps one step, and the memory plan counts it"),
        "entries for each block, all in host memory: up to 126 GB",
    ),
    Name::new(
        "FRAMEPACK_SIM_CACHE_USE_FAISS",
        Switch,
        "0",
        NotNeeded("there is nothing to search"),
        "looked for the most similar of twelve entries with a library for millions",
    ),
    Name::new(
        "FRAMEPACK_SIM_CACHE_VERBOSE",
        Switch,
        "0",
        NotNeeded(COUNTED),
        "printed each decision",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_KV_CACHE",
        Switch,
        "0",
        Sets {
            keys: KIND,
            rule: Rule::Cache,
            how: "1: `cache.kind` is `kv`",
        },
        "made an empty object; the model never read or wrote it",
    ),
    Name::new(
        "FRAMEPACK_KV_CACHE_LEN",
        Integer(0..=i64::MAX),
        "4096",
        NotNeeded("the length is that of the conditioning"),
        "the length of a cache that was never used",
    ),
    Name::new(
        "FRAMEPACK_KV_CACHE_VERBOSE",
        Switch,
        "0",
        NotNeeded(COUNTED),
        "printed nothing, since the cache was never used",
    ),
    Name::new(
        "FRAMEPACK_ENABLE_MODULE_CACHE",
        Switch,
        "1",
        NotNeeded(EMBEDDINGS),
        "kept what the encoders made of a prompt and an image on the disk",
    ),
    Name::new(
        "FRAMEPACK_MODULE_CACHE_MODE",
        Words("a cache mode", &["hash", "semantic", "off"]),
        "`hash` (`semantic` in later versions)",
        NotNeeded(EMBEDDINGS),
        "`hash` was exact, but did not know of quantization; `semantic` took another prompt's or another face's embedding if it \
         was similar",
    ),
    Name::new(
        "FRAMEPACK_MODULE_CACHE_DIR",
        Text("a folder"),
        "`Cache/module_cache`",
        NotNeeded("embeddings are in `embeddings/` of `paths.state`"),
        "the folder of FRAMEPACK_ENABLE_MODULE_CACHE",
    ),
    Name::new(
        "FRAMEPACK_MODULE_CACHE_SIZE",
        Integer(0..=i64::MAX),
        "256",
        NotNeeded("at most 512 embeddings are kept, about 0.7 GB"),
        "entries for each encoder; files of earlier runs were never counted or removed",
    ),
    Name::new(
        NAMED_SIZE,
        Integer(0..=i64::MAX),
        "FRAMEPACK_MODULE_CACHE_SIZE, half of it for CLIP",
        NotNeeded("at most 512 embeddings are kept, about 0.7 GB"),
        "the same for one encoder",
    ),
    Name::new(
        "FRAMEPACK_SEMANTIC_CACHE_THRESHOLD",
        Number(0.0..=1.0),
        "0.985",
        Inactive("a similar prompt's embedding is another prompt's"),
        "how similar an input had to be for the `semantic` mode, which ignored the order of words",
    ),
];
