//! Messages between framepackctl, framepackd and framepack-worker, and the client's side of the socket.
//!
//! - [`control`]: client and daemon, over a Unix socket; `hello`: the first message
//! - [`queue`]: the part of it that is about the order of the jobs
//! - [`preview`]: what a job's video looks like so far
//! - [`start_image`]: a job's start image
//! - [`estimate`]: how long jobs take, and when they will begin and end
//! - [`plan`]: what a job would take
//! - [`pace`]: how fast a job is that is watched
//! - [`edit`]: the part of it that changes what a job is
//! - [`event`]: what happens to jobs, devices and the farm, as those who follow it read it
//! - [`folder`]: what a look at the jobs folder comes to
//! - [`farm`]: the farm at a glance
//! - [`check`]: what `doctor` looks at
//! - [`reload`]: a configuration that was read again; [`warmth`]: what workers without a job hold in memory
//! - [`state`]: messages about the store
//! - [`upkeep`]: versions, disk and energy, and what may be removed
//! - [`worker`]: daemon and worker, over the worker's stdin and stdout
//! - [`codec`]: one JSON object a line, for both
//! - [`export`]: the file of an export of jobs
//! - [`text`]: what programs write for people in the same way
//! - [`client`]: the blocking client that framepackctl is built on

pub mod check;
pub mod client;
pub mod codec;
pub mod control;
pub mod edit;
mod envelope;
mod error;
pub mod estimate;
pub mod event;
mod exit;
pub mod export;
pub mod farm;
pub mod folder;
mod hello;
mod list;
pub mod pace;
pub mod plan;
pub mod preview;
pub mod queue;
pub mod reload;
pub mod start_image;
pub mod state;
mod status;
pub mod text;
pub mod upkeep;
pub mod warmth;
pub mod worker;

pub use envelope::{Envelope, ErrorEnvelope};
pub use error::ErrorBody;
pub use exit::Exit;

/// The line on framepackd's standard input by which whoever started it with `--owned` lets go of it: it stops once its
/// jobs have ended, not when the input is closed.
pub const FINISH: &str = "finish";
