//! framepack-models against a Hub of its own: a server in this process with the Hub's endpoints, and a second one in the
//! place of the host that the Hub sends downloads to.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops at what is not as it should be"
)]

mod bad_files;
mod cache;
mod comfy;
mod content;
mod disks;
mod environment;
mod fetching;
mod gc;
mod hub;
mod import;
mod interrupted;
mod lost;
#[path = "../faults/mounts.rs"]
mod mounts;
mod network;
mod odd_answers;
mod outputs;
mod refusals;
mod request;
mod world;
