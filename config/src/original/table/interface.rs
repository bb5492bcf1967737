//! The web page's parameters, the functions that the document shows, and its start lines: for people alone.

/// A parameter or function, in Markdown.
#[derive(Debug)]
pub struct Parameter {
    /// Its name there.
    pub name: &'static str,
    /// Its values there, and the default.
    pub values: &'static str,
    /// What it is here.
    pub here: &'static str,
    /// What it really did there, in a sentence without its dot.
    pub there: &'static str,
}

/// A start line of the document.
#[derive(Debug)]
pub struct StartLine {
    /// Where it is, as in `start.sh, line 3`.
    pub place: &'static str,
    /// What the document calls it.
    pub title: &'static str,
    /// The line.
    pub text: &'static str,
    /// The profile that is made from it.
    pub profile: &'static str,
}

const fn row(
    name: &'static str,
    values: &'static str,
    here: &'static str,
    there: &'static str,
) -> Parameter {
    Parameter {
        name,
        values,
        here,
        there,
    }
}

/// Every parameter of the web page.
pub static PARAMETERS: [Parameter; 28] = [
    row(
        "Image",
        "a picture",
        "`start.image`",
        "cropped to a size that is a multiple of 64, off those that the model is trained for",
    ),
    row(
        "Prompt",
        "text; empty",
        "`prompt`",
        "with words about slow motion added, by default",
    ),
    row(
        "Negative Prompt",
        "text; empty; hidden",
        "`negative_prompt`",
        "not used, since the CFG scale was 1",
    ),
    row(
        "Seed",
        "whole number; 31337",
        "`seed`",
        "the noise was drawn in 16 bits, so that a seed makes another video than in the original FramePack",
    ),
    row(
        "Total Video Length (Seconds)",
        "1 to 120; 5",
        "`length.seconds`",
        "more sections; motion is neither faster nor slower with it, though the document says both",
    ),
    row(
        "Latent Window Size",
        "1 to 33; 9; hidden",
        "`latent_window`",
        "rounded up to a multiple of 8, so that 9 was 16",
    ),
    row("Steps", "1 to 100; 25", "`steps`", "what it says"),
    row(
        "CFG Scale",
        "1 to 32; 1; hidden",
        "`guidance.cfg`",
        "what it says",
    ),
    row(
        "Distilled CFG Scale",
        "1 to 32; 10 (8 in later versions)",
        "`guidance.distilled`",
        "what it says",
    ),
    row(
        "CFG Re-Scale",
        "0 to 1; 0; hidden",
        "`guidance.rescale`",
        "what it says",
    ),
    row(
        "GPU Memory Preservation (GB)",
        "6 to 128 (2 to 128 in later versions); 6",
        "`memory.preserve_gb`, `auto` by default: what a step needs",
        "kept so much free while the transformer was loaded; unloading used a fixed 8 GB",
    ),
    row(
        "MP4 Compression",
        "0 to 100; 16",
        "`output.crf`; 52 to 100 are encoded as 51, the largest that there is",
        "what it says up to 51; larger values meant nothing",
    ),
    row(
        "Use TeaCache",
        "on or off; on",
        "`cache.kind`: `teacache` or `off`",
        "real, with a looser threshold than in the original FramePack",
    ),
    row(
        "Quality Mode",
        "on or off; off",
        "`vae.quality`, which wins over any chunk; preset `quality`. `framepackctl plan` says what it takes",
        "at least four latent frames a chunk, where the chunk was automatic; nothing in the recommended start line, whose chunk size is used before quality mode is looked at",
    ),
    row(
        "Cache mode",
        "`hash`, `semantic`, `off`; `hash` (`semantic` in later versions)",
        "not needed: embeddings are reused for exactly the same input alone",
        "`semantic` took another prompt's or another face's embedding",
    ),
    row(
        "Slow motion hint",
        "on or off; on",
        "inactive: a prompt is used as it is written; write the words into it",
        "added a few words to the prompt",
    ),
    row(
        "TensorRT VAE decoding",
        "on or off; on where it is installed",
        "`vae.tensorrt`",
        "always failed and fell back",
    ),
    row(
        "FBCache",
        "on or off; later versions",
        "`cache.kind: fbcache`",
        "hidden by TeaCache while that was on",
    ),
    row(
        "SimCache",
        "on or off; later versions",
        "`cache.kind: simcache`",
        "failed at its first lookup",
    ),
    row(
        "KV cache",
        "on or off; later versions",
        "`cache.kind: kv`",
        "nothing: the model never used it",
    ),
    row(
        "TensorRT transformer",
        "on or off; later versions",
        "inactive: there are no TensorRT engines here",
        "its own help says that it does not work",
    ),
    row(
        "Relationship trainer: mode",
        "`off`, `hidden_state`, `residual`, `modulation`; `off`; later versions",
        "inactive: models are not trained here",
        "an experiment: one mode was never used, one always failed, one replaced layers after one step of training",
    ),
    row(
        "Relationship trainer: learning rate",
        "1e-6 to 1e-3; later versions",
        "inactive: models are not trained here",
        "belongs to the trainer",
    ),
    row(
        "Relationship trainer: batch size",
        "32 to 1024; later versions",
        "inactive: models are not trained here",
        "belongs to the trainer",
    ),
    row(
        "Quick prompts",
        "two examples",
        "[examples of job files](../jobs/examples/README.md)",
        "put an example into the prompt",
    ),
    row(
        "Start, End",
        "buttons",
        "a file in the jobs folder, or `framepackctl submit`; `framepackctl cancel`, with `--keep` to have the video so far",
        "one job at a time; a second user's pictures mixed with those of the first",
    ),
    row(
        "Preview, progress",
        "shown",
        "`framepackctl preview`, `wait`, `show`",
        "an error ended them without a word; it was printed to the console alone",
    ),
    row(
        "Cache timeline",
        "a table; later versions",
        "a report counts what the step cache reused",
        "which steps were reused",
    ),
];

/// The functions that the document shows.
pub static FUNCTIONS: [Parameter; 7] = [
    row(
        "`load_model_chunked(max_chunk_size_mb=256)`",
        "megabytes; 512",
        "`memory.load_chunk_mb`",
        "moved the whole model at once, and tried nothing again",
    ),
    row(
        "`move_model_to_device_with_memory_preservation(preserved_memory_gb)`",
        "gigabytes",
        "`memory.preserve_gb`",
        "real; layers without a `weight` were not counted",
    ),
    row(
        "`offload_model_from_device_for_memory_preservation(aggressive=True)`",
        "true or false",
        "`memory.offload: aggressive`",
        "moved everything back to the host, always; the 80 % are in another function, which nobody calls that way",
    ),
    row(
        "`force_free_vram(target_gb=10.0)`",
        "gigabytes",
        "not needed: a job's memory plan frees what a phase needs",
        "freed once and printed a warning where that was too little",
    ),
    row(
        "`vae_decode_chunked(chunk_size, quality_mode)`",
        "frames, or none; true or false",
        "`vae.chunk`, `vae.quality`; `vae.mode` and `vae.blend` are new",
        "lost three frames at every joint",
    ),
    row(
        "`DynamicSwapInstaller`",
        "",
        "not needed: every worker streams what does not fit",
        "copied each weight anew for each use, without overlap",
    ),
    row(
        "`TENSORRT_DECODER._cache.clear()`",
        "",
        "not needed: there are no engines",
        "emptied a cache with nothing in it",
    ),
];

/// The start lines and memory levels of the document.
pub static START_LINES: [StartLine; 6] = [
    StartLine {
        place: "start.sh, line 3",
        title: "Default, recommended for 16 GB; memory level 2",
        text: "FRAMEPACK_FAST_START=1 FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\n\
               FRAMEPACK_BNB_CPU_OFFLOAD=1 FRAMEPACK_VAE_CHUNK_SIZE=2 \\\n\
               python demo_gradio.py --fast-start --xformers-mode standard --use-memory-v2\n",
        profile: "bnb4",
    },
    StartLine {
        place: "start.sh, line 10",
        title: "Extreme memory saving; memory level 4",
        text: "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True,max_split_size_mb=128 \\\n\
               FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\n\
               python demo_gradio.py --fast-start --xformers-mode standard\n",
        profile: "extreme",
    },
    StartLine {
        place: "start.sh, line 16",
        title: "TensorRT and performance",
        text: "PYTORCH_ENABLE_FLASH_SDP=0 PYTORCH_ENABLE_MEM_EFFICIENT_SDP=0 \\\n\
               FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\n\
               python demo_gradio.py --fast-start --xformers-mode aggressive \\\n\
               --use-memory-v2 --enable-tensorrt\n",
        profile: "tensorrt",
    },
    StartLine {
        place: "memory level 1",
        title: "Standard",
        text: "python demo_gradio.py\n",
        profile: "standard",
    },
    StartLine {
        place: "memory level 2",
        title: "Quantization",
        text: "FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\npython demo_gradio.py\n",
        profile: "bnb4",
    },
    StartLine {
        place: "memory level 4",
        title: "Extreme memory saving",
        text: "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True,max_split_size_mb=128 \\\n\
               python demo_gradio.py\n",
        profile: "extreme",
    },
];
