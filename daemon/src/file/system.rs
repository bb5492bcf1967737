//! What kind of file system a path lies on, as far as that matters.

use std::{io, path::Path};

use nix::{
    libc,
    sys::statfs::{FsType, statfs},
};

/// A file system with less than one of Linux has, or elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    /// FAT: files of at most 4 GiB, and nothing that survives a power failure.
    Fat,
    /// exFAT, NTFS.
    Foreign,
    /// A network share.
    Share,
    /// A program's, such as rclone's, sshfs' or that of a driver for foreign disks.
    Fuse,
}

/// Numbers of `statfs(2)` that `libc` does not name.
const EXFAT: libc::c_long = 0x2011_BAB0;
const NTFS3: libc::c_long = 0x7366_746E;
const CIFS: libc::c_long = 0xFF53_4D42;
const SMB2: libc::c_long = 0xFE53_4D42;

impl FileSystem {
    /// `None`: an ordinary one.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let FsType(number) = statfs(path)?.filesystem_type();
        Ok(match number {
            libc::MSDOS_SUPER_MAGIC => Some(Self::Fat),
            EXFAT | NTFS3 => Some(Self::Foreign),
            libc::NFS_SUPER_MAGIC | libc::SMB_SUPER_MAGIC | CIFS | SMB2 => Some(Self::Share),
            libc::FUSE_SUPER_MAGIC => Some(Self::Fuse),
            _ => None,
        })
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fat => "FAT",
            Self::Foreign => "exFAT or NTFS",
            Self::Share => "a network share",
            Self::Fuse => "a FUSE file system",
        }
    }
}
