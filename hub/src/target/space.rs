//! What the disk has left.

use std::{io, path::Path};

use nix::sys::statvfs::statvfs;

const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// Bytes that we may still write where `path` is, or will be.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let there = path.ancestors().find(|folder| folder.exists());
    let space = statvfs(there.unwrap_or(path))?;
    Ok(space.blocks_available() as u64 * space.fragment_size() as u64)
}

/// Whether there is no room for more, on the disk or in the user's quota.
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ENOSPC | EDQUOT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_that_is_not_there_yet_has_the_room_of_the_one_above() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(&dir.path().join("a/b/c")).unwrap() > 0);
    }
}
