//! The table as a whole, and against the table of settings.

use std::{collections::BTreeSet, fs};

use framepack_jobs::settings::{Origin, TABLE};

use super::*;
use crate::{
    Load, Loaded,
    original::{Meaning, Pick, import},
};

/// Every way to set something that start lines have.
const SETTERS: [&str; 27] = [
    "FRAMEPACK_FAST_START=1",
    "FRAMEPACK_FAST_START=0",
    "FRAMEPACK_USE_BNB=1",
    "FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1",
    "FRAMEPACK_BNB_CPU_OFFLOAD=0",
    "FRAMEPACK_ENABLE_QUANT=1",
    "FRAMEPACK_ENABLE_QUANT=1 FRAMEPACK_QUANT_BITS=4",
    "FRAMEPACK_ENABLE_FP8=1",
    "FRAMEPACK_VAE_CHUNK_SIZE=0",
    "FRAMEPACK_VAE_CHUNK_SIZE=1",
    "FRAMEPACK_VAE_CHUNK_SIZE=8",
    "PYTORCH_CUDA_ALLOC_CONF='expandable_segments=True,max_split_size_mb=128,roundup_power2_divisions:[256:1,>:2]'",
    "FRAMEPACK_ENABLE_FBCACHE=1 FRAMEPACK_FBCACHE_THRESHOLD=0",
    "FRAMEPACK_ENABLE_SIM_CACHE=1 FRAMEPACK_SIM_CACHE_THRESHOLD=1.0",
    "FRAMEPACK_ENABLE_SIM_CACHE=1 FRAMEPACK_SIM_CACHE_MAX_SKIP=1",
    "FRAMEPACK_ENABLE_KV_CACHE=1",
    "FRAMEPACK_XFORMERS_MODE=off",
    "FRAMEPACK_XFORMERS_MODE=standard",
    "PYTORCH_ALLOC_CONF=max_split_size_mb:128",
    "PYTORCH_ENABLE_FLASH_SDP=0 PYTORCH_ENABLE_MEM_EFFICIENT_SDP=1",
    "FRAMEPACK_ENABLE_TENSORRT=0",
    "python demo_gradio.py --xformers-mode aggressive",
    "python demo_gradio.py --fast-start",
    "python demo_gradio.py --use-memory-v2",
    "python demo_gradio.py --enable-tensorrt",
    "python demo_gradio.py --disable-fbcache --disable-sim-cache",
    "python demo_gradio.py --disable-kv-cache",
];

#[test]
fn every_name_is_there_once_and_has_something_to_say() {
    let mut names = BTreeSet::new();
    for name in variables().chain(&FLAGS) {
        assert!(names.insert(name.name), "{} is there twice", name.name);
        let there = name.there;
        assert!(!there.is_empty() && !there.ends_with('.'), "{}", name.name);
        let begins =
            |text: &str| text.starts_with(|c: char| c.is_lowercase() || "`0123456789".contains(c));
        assert!(begins(there), "{}: {there}", name.name);
    }
    // Each name of the complete list, in its own notation.
    let listed = "FAST_START PARALLEL_LOADERS FORCE_PARALLEL_LOADERS PRELOAD_REPOS MODEL_REPO_PATH SIGLIP_REPO_PATH \
        TRANSFORMER_REPO_PATH USE_BNB BNB_LOAD_IN_4BIT BNB_CPU_OFFLOAD BNB_DOUBLE_QUANT BNB_DEVICE_MAP ENABLE_QUANT \
        QUANT_BITS ENABLE_FP8 FP8_TARGET_KEYS FP8_EXCLUDE_KEYS FP8_USE_SCALED_MM ENABLE_PRUNE PRUNE_DUAL_RATIO \
        PRUNE_SINGLE_RATIO ENABLE_OPT_CACHE OPTIMIZED_TRANSFORMER USE_FSDP FSDP_MIN_PARAMS FSDP_NVME_PATH \
        VAE_CHUNK_SIZE VAE_CHUNK_RESERVE_GB VAE_CHUNK_SAFETY VAE_UPSCALE_FACTOR LATENT_WINDOW_GB RESERVED_VRAM_GB \
        ENABLE_FBCACHE FBCACHE_THRESHOLD FBCACHE_VERBOSE ENABLE_SIM_CACHE SIM_CACHE_THRESHOLD SIM_CACHE_MAX_SKIP \
        SIM_CACHE_MAX_ENTRIES SIM_CACHE_USE_FAISS SIM_CACHE_VERBOSE ENABLE_KV_CACHE KV_CACHE_LEN KV_CACHE_VERBOSE \
        RUNTIME_CACHE RUNTIME_CACHE_DIR ENABLE_MODULE_CACHE MODULE_CACHE_MODE MODULE_CACHE_DIR MODULE_CACHE_SIZE \
        MODULE_CACHE_SIZE_<NAME> SEMANTIC_CACHE_THRESHOLD XFORMERS_MODE ENABLE_COMPILE DISABLE_COMPILE JIT_MODE \
        JIT_ARTIFACT JIT_SAVE JIT_LOAD JIT_STRICT AUTOCAST_DTYPE ENABLE_AUTOCAST ALLOW_TF32 TENSORCORE_MULT_FP16 \
        TENSORCORE_MULT_TF32 MIN_BATCH CPU_OPT CPU_OPT_THREADS SLOW_PROMPT_HINT ENABLE_TENSORRT TRT_WORKSPACE_MB \
        TRT_MAX_AUX_STREAMS TRT_TRANSFORMER TRT_TEXT_ENCODERS TRT_MAX_CACHED_SHAPES TENSORRT_CACHE_DIR \
        USE_ONNX_ENGINES ONNX_CACHE_DIR ONNX_TRT_ENABLE ONNX_TRT_FP16 ONNX_TRT_INT8 ONNX_TRT_DEVICE_ID \
        ONNX_TRT_WORKSPACE_MB ONNX_TRT_CACHE_DIR ENFORCE_LOW_PRECISION ENABLE_BETTERTRANSFORMER ENABLE_PROFILING \
        RELATIONSHIP_SAMPLE_LIMIT";
    let listed = listed
        .split_whitespace()
        .map(|name| format!("FRAMEPACK_{name}"));
    let others = [
        "PYTORCH_ENABLE_FLASH_SDP",
        "PYTORCH_ENABLE_MEM_EFFICIENT_SDP",
        "PYTORCH_ALLOC_CONF",
        "PYTORCH_CUDA_ALLOC_CONF",
        "HF_TOKEN",
        "GRADIO_ROOT_PATH",
    ];
    let listed: BTreeSet<String> = listed.chain(others.map(str::to_owned)).collect();
    let known: BTreeSet<String> = variables().map(|name| name.name.to_owned()).collect();
    assert_eq!(known, listed);
}

#[test]
fn what_is_set_is_a_key_of_the_configuration_with_a_value_that_it_takes() {
    const REQUIRED: &str =
        "paths: {jobs: j, state: s, outputs: o, socket: x}\nmodels: {bundle: m}\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("framepackd.yaml");
    let mut setters = BTreeSet::new();
    for script in SETTERS {
        let imported = import(script, Pick::First).unwrap();
        fs::write(&file, format!("{REQUIRED}{imported}")).unwrap();
        let loaded = Loaded::read(&Load {
            file: &file,
            environment: &[],
            current_dir: folder.path(),
        });
        let loaded = loaded.unwrap_or_else(|error| panic!("{script}: {error}\n{imported}"));
        assert!(!imported.translated().settings.is_empty(), "{script}");
        for meant in &imported.translated().settings {
            let read = loaded
                .settings
                .iter()
                .find(|setting| setting.key == meant.key);
            let read = read.unwrap_or_else(|| panic!("{script}: no {}", meant.key));
            let is_of_the_file = matches!(read.origin, Origin::File { .. });
            assert!(is_of_the_file, "{script}: {read:?}");
            setters.extend(meant.names.iter().cloned());
        }
    }
    for name in variables().chain(&FLAGS).filter(|name| name.meaning.sets()) {
        assert!(
            setters.contains(name.name),
            "{} sets nothing here",
            name.name
        );
    }
}

#[test]
fn the_table_of_settings_names_the_same_variables_and_flags() {
    for row in TABLE {
        let is_name = |name: &&&str| {
            name.starts_with("--") || name.starts_with("FRAMEPACK_") || name.starts_with("PYTORCH_")
        };
        for original in row.original.iter().filter(is_name) {
            let name = variables()
                .chain(&FLAGS)
                .find(|name| name.name == *original);
            let name = name.unwrap_or_else(|| panic!("{}: no {original}", row.key));
            let Meaning::Sets { keys, .. } = name.meaning else {
                panic!("{original} sets nothing");
            };
            assert!(
                keys.contains(&row.key),
                "{original} does not set {}",
                row.key
            );
        }
    }
}
