//! Files: their state at a moment, what they contain, whether somebody writes to them, and writing them so that a
//! crash leaves them whole.

mod durable;
mod hash;
mod lease;
mod state;

pub(crate) use self::{
    durable::{replace, sync_dir, write_whole},
    hash::sha256_of,
    lease::{guard, is_open_for_writing},
    state::FileState,
};
