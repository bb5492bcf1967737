//! What the jobs folder lies on: many file systems say nothing of what other hosts do.

use std::{io, path::Path, time::Duration};

use nix::sys::statfs::statfs;

/// Network file systems and others that tell nothing of what other hosts do, by `statfs(2)`'s magic number.
const NETWORK: [(i64, &str); 13] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB2"),
    (0xff53_4d42, "CIFS"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x786f_4256, "vboxsf"),
    (0x0bd0_0bd0, "Lustre"),
    (0x7461_636f, "OCFS2"),
    (0x0116_1970, "GFS2"),
];

/// What the folder lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    Local,
    Network { kind: &'static str },
}

impl FileSystem {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from_magic(statfs(path)?.filesystem_type().0))
    }

    fn from_magic(magic: i64) -> Self {
        NETWORK
            .iter()
            .find(|(number, _)| *number == magic)
            .map_or(Self::Local, |(_, kind)| Self::Network { kind })
    }

    /// How long files settle on it, unless it is configured.
    pub(super) fn settle(self) -> Duration {
        match self {
            Self::Local => Duration::from_secs(1),
            Self::Network { .. } => Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_02_what_does_not_tell_of_other_hosts_is_known_by_its_magic_number() {
        for (magic, expected) in [
            (0x6969, "NFS"),
            (0x6573_5546, "FUSE"),
            (0xff53_4d42, "CIFS"),
        ] {
            let kind = FileSystem::from_magic(magic);
            assert_eq!(kind, FileSystem::Network { kind: expected });
            assert_eq!(kind.settle(), Duration::from_secs(5));
        }
        for (name, magic) in [("ext4", 0xef53), ("tmpfs", 0x0102_1994)] {
            assert_eq!(FileSystem::from_magic(magic), FileSystem::Local, "{name}");
        }
    }
}
