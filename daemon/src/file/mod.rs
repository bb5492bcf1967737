//! Files: their state at a moment, what they contain, what kind of file system they lie on, whether somebody writes to them or holds their lock, and writing them so that a
//! crash leaves them whole; the numbered files of logs.

mod durable;
mod hash;
mod lease;
mod lock;
mod segment;
mod space;
mod state;
mod system;

pub(crate) use self::{
    durable::{replace, sync_dir, write_whole},
    hash::{copy_with, sha256_of, sha256_with},
    lease::{guard, is_open_for_writing},
    lock::patiently,
    segment::{Segment, open_segment, segment_path, segments},
    space::{FileSystemSpace, free_bytes, space},
    state::FileState,
    system::FileSystem,
};
