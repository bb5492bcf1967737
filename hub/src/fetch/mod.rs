//! Getting the files of a listing: what is there already, and the rest several at a time.
//!
//! - `plan`: what is there, and what is missing
//! - `taken`: what is there in another form
//! - `file`: one file until it is there and what the Hub has
//! - `busy`: of two that are the same blob, one waits
//! - `stream`: its bytes, over as many connections as it takes
//! - `partial`: the bytes of a file that has begun
//! - `pool`: several at a time
//! - `progress`: what the user sees meanwhile
//! - `error`: why a file did not come

mod busy;
mod error;
mod file;
mod partial;
mod plan;
mod pool;
mod progress;
mod stream;
mod taken;

pub(crate) use self::{
    busy::Busy,
    error::FetchError,
    file::Fetch,
    plan::{Planned, State, check_room, plan},
    pool::{Stop, each},
    progress::Progress,
    taken::{Taken, taken},
};
