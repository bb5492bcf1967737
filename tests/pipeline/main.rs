//! The real worker process on the tiny bundle: rendering, stopping, locking, failing.

#![expect(clippy::unwrap_used, reason = "a test panics with the reason")]

mod attention;
mod attention_modes;
mod bench;
mod doctor;
mod embeddings;
mod f1;
mod failures;
mod ladder;
mod life;
mod memory;
mod noise;
mod partial;
mod pause;
mod previews;
mod renders;
mod resume;
mod settings;
mod start;
mod step_cache;
mod verified;
mod worker;
