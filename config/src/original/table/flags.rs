//! Flags of the command line.

use crate::original::name::{
    Meaning::{Inactive, NotNeeded, Sets},
    Name, Rule,
    Values::{Flag, Integer, Text, Words},
};

use super::compute::MODES;

const NO_PAGE: &str =
    "there is no web page; the daemon listens at `paths.socket`, on this machine alone";
const NO_ENGINE: &str = "there are no TensorRT engines here; see `vae.tensorrt`";
const REPORTED: &str =
    "every report has times and memory of each phase; `framepack-worker bench` measures more";
const OFF: &str = "no cache of that kind; without another one, `cache.kind` is `off`, which turns TeaCache off, too";

/// Every flag.
pub static FLAGS: [Name; 21] = [
    Name::new(
        "--share",
        Flag,
        "off",
        Inactive(NO_PAGE),
        "opened the web page to the internet through a tunnel",
    ),
    Name::new(
        "--server",
        Text("an address"),
        "`0.0.0.0`",
        NotNeeded(NO_PAGE),
        "the web page's address: by default everybody in the network could use it, without a password",
    ),
    Name::new(
        "--port",
        Integer(0..=65535),
        "Gradio's, 7860",
        NotNeeded(NO_PAGE),
        "the web page's port",
    ),
    Name::new(
        "--inbrowser",
        Flag,
        "off",
        NotNeeded(NO_PAGE),
        "opened the web page in a browser",
    ),
    Name::new(
        "--cache-mode",
        Words("a cache mode", &["hash", "semantic", "off"]),
        "FRAMEPACK_MODULE_CACHE_MODE",
        NotNeeded(
            "embeddings are always kept and only reused for exactly the same input, model and device",
        ),
        "as FRAMEPACK_MODULE_CACHE_MODE",
    ),
    Name::new(
        "--jit-mode",
        Words("a mode of TorchScript", &["off", "trace", "script"]),
        "FRAMEPACK_JIT_MODE",
        NotNeeded("the worker has kernels of its own, and compiles them for the card in a second"),
        "as FRAMEPACK_JIT_MODE",
    ),
    Name::new(
        "--disable-fbcache",
        Flag,
        "off",
        Sets {
            keys: &["cache.kind"],
            rule: Rule::Cache,
            how: OFF,
        },
        "undid FRAMEPACK_ENABLE_FBCACHE; without that, which is off by default, there was nothing to disable",
    ),
    Name::new(
        "--disable-sim-cache",
        Flag,
        "off",
        Sets {
            keys: &["cache.kind"],
            rule: Rule::Cache,
            how: OFF,
        },
        "undid FRAMEPACK_ENABLE_SIM_CACHE; without that, which is off by default, there was nothing to disable",
    ),
    Name::new(
        "--disable-kv-cache",
        Flag,
        "off",
        Sets {
            keys: &["cache.kind"],
            rule: Rule::Cache,
            how: OFF,
        },
        "undid FRAMEPACK_ENABLE_KV_CACHE, which did nothing",
    ),
    Name::new(
        "--xformers-mode",
        Words("an attention mode", MODES),
        "FRAMEPACK_XFORMERS_MODE",
        Sets {
            keys: &["attention"],
            rule: Rule::Same,
            how: "`attention`: the same word",
        },
        "as FRAMEPACK_XFORMERS_MODE",
    ),
    Name::new(
        "--fast-start",
        Flag,
        "off",
        Sets {
            keys: &["worker.fast_start"],
            rule: Rule::OnOff,
            how: "`worker.fast_start` is `on`",
        },
        "as FRAMEPACK_FAST_START=1",
    ),
    Name::new(
        "--use-memory-v2",
        Flag,
        "off",
        Sets {
            keys: &["memory.backend"],
            rule: Rule::Stands("v2"),
            how: "`memory.backend` is `v2`, which is the default here",
        },
        "pinned memory and streams in one function alone, which was called when the VAE did not fit; everything else was moved as \
         without it",
    ),
    Name::new(
        "--enable-tensorrt",
        Flag,
        "FRAMEPACK_ENABLE_TENSORRT",
        Sets {
            keys: &["vae.tensorrt"],
            rule: Rule::OnOff,
            how: "`vae.tensorrt` is `on`; the VAE always falls back to its own decoder, and says so",
        },
        "as FRAMEPACK_ENABLE_TENSORRT=1",
    ),
    Name::new(
        "--enforce-low-precision",
        Flag,
        "off",
        Inactive("the VAE needs more than bf16 for fine detail"),
        "as FRAMEPACK_ENFORCE_LOW_PRECISION=1; only in later versions",
    ),
    Name::new(
        "--tensorrt-transformer",
        Flag,
        "off",
        Inactive(NO_ENGINE),
        "as FRAMEPACK_TRT_TRANSFORMER=1; only in later versions",
    ),
    Name::new(
        "--tensorrt-text-encoders",
        Flag,
        "off",
        Inactive(NO_ENGINE),
        "as FRAMEPACK_TRT_TEXT_ENCODERS=1; only in later versions",
    ),
    Name::new(
        "--use-onnx-engines",
        Flag,
        "off",
        Inactive(NO_ENGINE),
        "as FRAMEPACK_USE_ONNX_ENGINES=1; only in later versions",
    ),
    Name::new(
        "--disable-bettertransformer",
        Flag,
        "off",
        NotNeeded("encoders use torch's fused attention in any case"),
        "undid FRAMEPACK_ENABLE_BETTERTRANSFORMER; only in later versions",
    ),
    Name::new(
        "--enable-profiling",
        Flag,
        "off",
        NotNeeded(REPORTED),
        "as FRAMEPACK_ENABLE_PROFILING=1; only in later versions",
    ),
    Name::new(
        "--profiling-iterations",
        Integer(1..=i64::MAX),
        "1",
        NotNeeded(REPORTED),
        "nothing: it is read and not used; only in later versions",
    ),
    Name::new(
        "--profiling-output-dir",
        Text("a folder"),
        "`./profiling_results`",
        NotNeeded("reports are beside their jobs"),
        "the folder of --enable-profiling; only in later versions",
    ),
];
