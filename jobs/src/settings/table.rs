//! The table of settings: keys, ranges and defaults as FramePack's interface has them.

mod cache;
mod means;
mod unbuilt;
mod vae;
mod video;
mod worker;

use super::row::Row;

pub(super) use self::means::PROFILES;

pub use self::{
    cache::{
        CACHE_BUDGET_GB, CACHE_KIND, CACHE_MAX_SKIP, CACHE_REFRESH, CACHE_RETENTION,
        CACHE_THRESHOLD,
    },
    means::{
        ATTENTION, BACKEND, HOST_BUDGET_GB, LOAD_CHUNK_MB, OFFLOAD, PRESERVE_GB, PRESET, PROFILE,
    },
    unbuilt::{
        STORAGE_IMAGE_ENCODER, STORAGE_TEXT_ENCODER, STORAGE_TEXT_ENCODER_2, STORAGE_TRANSFORMER,
        VAE_TENSORRT,
    },
    vae::{VAE_BLEND, VAE_CHUNK, VAE_MODE, VAE_OVERLAP, VAE_QUALITY},
    video::{
        BACKGROUND, BUCKET, BUCKETS_PX, DEFAULT_BUCKET_PX, GUIDANCE_CFG, GUIDANCE_DISTILLED,
        GUIDANCE_RESCALE, IMAGE, LATENT_WINDOW, LENGTH_SECS, MAX_CRF, MODEL, NEGATIVE_PROMPT,
        OUTPUT_CRF, PROMPT, SEED, STEPS,
    },
    worker::{CUDA_ALLOC_CONF, FAST_START, FLASH_SDP, MEM_EFFICIENT_SDP},
};

/// Every setting, in the order of the reference.
pub static TABLE: [&Row; 42] = [
    &MODEL,
    &IMAGE,
    &BACKGROUND,
    &PROMPT,
    &NEGATIVE_PROMPT,
    &SEED,
    &LENGTH_SECS,
    &STEPS,
    &GUIDANCE_DISTILLED,
    &GUIDANCE_CFG,
    &GUIDANCE_RESCALE,
    &BUCKET,
    &LATENT_WINDOW,
    &OUTPUT_CRF,
    &VAE_MODE,
    &VAE_CHUNK,
    &VAE_QUALITY,
    &VAE_BLEND,
    &VAE_OVERLAP,
    &VAE_TENSORRT,
    &CACHE_KIND,
    &CACHE_THRESHOLD,
    &CACHE_MAX_SKIP,
    &CACHE_RETENTION,
    &CACHE_REFRESH,
    &CACHE_BUDGET_GB,
    &STORAGE_TRANSFORMER,
    &STORAGE_TEXT_ENCODER,
    &STORAGE_TEXT_ENCODER_2,
    &STORAGE_IMAGE_ENCODER,
    &PROFILE,
    &PRESET,
    &ATTENTION,
    &PRESERVE_GB,
    &HOST_BUDGET_GB,
    &LOAD_CHUNK_MB,
    &OFFLOAD,
    &BACKEND,
    &FAST_START,
    &FLASH_SDP,
    &MEM_EFFICIENT_SDP,
    &CUDA_ALLOC_CONF,
];
