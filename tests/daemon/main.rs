//! framepackd as a whole: the real binary on temporary folders, with a fake worker that misbehaves on demand.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod bad_jobs;
mod cancelling;
mod changing;
mod client;
#[path = "../faults/clock.rs"]
mod clock;
mod clocks;
mod config;
mod crash;
mod draining;
mod estimates;
mod events;
mod farm;
mod figures;
mod fixture;
mod folder;
mod foreseen;
mod fuzz_corpus;
mod gpu;
mod hanging;
mod import_env;
mod install;
mod keep;
mod lacking;
mod limits;
mod offline;
mod one_off;
mod pausing;
mod pictures;
mod plan;
#[path = "../preload.rs"]
mod preload;
mod previews;
mod real;
mod reconnecting;
mod reload;
mod removing;
mod retention;
mod retrying;
mod roles;
mod scheduling;
mod settings;
mod shares;
mod socket;
mod start;
mod state;
mod status;
mod supervise;
mod support_bundle;
mod systemd;
mod upkeep;
mod user;
mod vae;
mod warmth;
