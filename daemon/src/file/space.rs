//! Free space.

use std::{io, path::Path};

use nix::sys::statvfs::statvfs;

/// Space of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSystemSpace {
    pub(crate) total_bytes: u64,
    /// What the daemon may still write.
    pub(crate) free_bytes: u64,
}

/// Space where `path` lies.
pub(crate) fn space(path: &Path) -> io::Result<FileSystemSpace> {
    let space = statvfs(path)?;
    let block_bytes = space.fragment_size() as u64;
    Ok(FileSystemSpace {
        total_bytes: space.blocks() as u64 * block_bytes,
        free_bytes: space.blocks_available() as u64 * block_bytes,
    })
}

/// Bytes that the daemon may still write where `path` lies.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    Ok(space(path)?.free_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_that_of_the_file_system() {
        let dir = tempfile::tempdir().unwrap();
        let found = space(dir.path()).unwrap();
        assert!(found.free_bytes > 0 && found.free_bytes < found.total_bytes);
        assert!(free_bytes(&dir.path().join("none")).is_err());
    }
}
