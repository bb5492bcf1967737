//! Variables that say how memory is used, and how the VAE decodes.

use crate::original::name::{
    Meaning::{NotNeeded, Sets},
    Name, Rule,
    Values::{Integer, Number, Switch, Text},
};

const PLANNED: &str = "a job's memory plan counts what decoding takes, as it was measured on an H100, and takes smaller \
                       pieces where that does not fit";

pub(super) static VARIABLES: [Name; 10] = [
    Name::new(
        "FRAMEPACK_VAE_CHUNK_SIZE",
        Integer(0..=8),
        "0",
        Sets {
            keys: &["vae.chunk"],
            rule: Rule::ZeroIsAuto,
            how: "`vae.chunk`: the same number, and 0 is `auto`; each goes on from the one before, so that no frame is lost",
        },
        "decoded so many latent frames by themselves and joined them, which lost three frames at every joint: 2 gave 40 frames of \
         61, which looked too fast. 0 was everything or one frame, by the size of the picture. A number other than 0 switched \
         Quality Mode off",
    ),
    Name::new(
        "FRAMEPACK_VAE_CHUNK_RESERVE_GB",
        Number(0.0..=f64::INFINITY),
        "4.0 (2.0 in later versions)",
        NotNeeded(PLANNED),
        "gigabytes that the automatic chunk size leaves free; that size was everything or one frame",
    ),
    Name::new(
        "FRAMEPACK_VAE_CHUNK_SAFETY",
        Number(0.0..=f64::INFINITY),
        "1.5 (1.2 in later versions)",
        NotNeeded(PLANNED),
        "a factor for the size of a decoded frame in the automatic chunk size, which left out all that decoding needs besides",
    ),
    Name::new(
        "FRAMEPACK_VAE_UPSCALE_FACTOR",
        Integer(1..=i64::MAX),
        "8",
        NotNeeded("the model says it, and a chunk is sized by what decoding takes"),
        "the VAE's spatial factor in the automatic chunk size; any other value made that size wrong",
    ),
    Name::new(
        "FRAMEPACK_LATENT_WINDOW_GB",
        Number(0.0..=f64::INFINITY),
        "0.75",
        NotNeeded("`latent_window` is what it is set to, whatever memory there is"),
        "gigabytes for each latent frame, by which the window was shortened and then rounded up to a multiple of 8: 9, which the \
         model is trained for, became 16",
    ),
    Name::new(
        "FRAMEPACK_RESERVED_VRAM_GB",
        Number(0.0..=f64::INFINITY),
        "1.5",
        NotNeeded(
            "`latent_window` is what it is set to; `memory.preserve_gb` keeps device memory free of weights",
        ),
        "gigabytes that were taken off the free memory before the window was shortened by it; nothing else was kept free",
    ),
    Name::new(
        "PYTORCH_CUDA_ALLOC_CONF",
        Text("options of torch's allocator, `key:value,key:value`"),
        "unset",
        Sets {
            keys: &["worker.cuda_alloc_conf"],
            rule: Rule::Allocator,
            how: "`worker.cuda_alloc_conf`; `=` between a key and its value is corrected to `:`",
        },
        "torch's own; in the document's spelling, `max_split_size_mb=128`, torch did not start",
    ),
    Name::new(
        "PYTORCH_ALLOC_CONF",
        Text("options of torch's allocator, `key:value,key:value`"),
        "unset",
        Sets {
            keys: &["worker.cuda_alloc_conf"],
            rule: Rule::Allocator,
            how: "torch's newer name of `PYTORCH_CUDA_ALLOC_CONF`",
        },
        "torch's own, and stronger than `PYTORCH_CUDA_ALLOC_CONF` in versions that know it",
    ),
    Name::new(
        "FRAMEPACK_RUNTIME_CACHE",
        Switch,
        "1",
        NotNeeded("step caches are not kept from job to job"),
        "wrote the state of step caches to the disk after every section, gigabytes that were never used again",
    ),
    Name::new(
        "FRAMEPACK_RUNTIME_CACHE_DIR",
        Text("a folder"),
        "`Cache/runtime_caches`",
        NotNeeded("step caches are not kept from job to job"),
        "the folder of FRAMEPACK_RUNTIME_CACHE",
    ),
];
