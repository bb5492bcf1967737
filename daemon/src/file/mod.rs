//! Files: their state at a moment, whether somebody writes to them or holds their lock, and writing them so that a crash leaves them whole.

mod durable;
mod fingerprint;
mod lease;
mod lock;
mod space;

pub(crate) use self::{
    durable::{replace, sync_dir, write_whole},
    fingerprint::Fingerprint,
    lease::{guard, is_open_for_writing},
    lock::patiently,
    space::free_bytes,
};
