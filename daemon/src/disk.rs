//! Free space: a job begins only when what it will write fits.

use std::{io, path::Path};

use nix::sys::statvfs::statvfs;

/// Bytes that the daemon may still write where `path` lies.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let space = statvfs(path)?;
    Ok(space.blocks_available() as u64 * space.fragment_size() as u64)
}
