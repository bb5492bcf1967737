//! Which share a path lies on, found without touching the share: the kernel's list of mounts.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// The mount that the path lies on if that is another host's or a program's, which answers for all of it or for
/// nothing; the path itself if it is local.
pub(super) fn share_of(path: &Path) -> PathBuf {
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    network_mount(&mounts, path).unwrap_or_else(|| path.to_owned())
}

/// The innermost mount above the path, if it is a network's.
fn network_mount(mountinfo: &[u8], path: &Path) -> Option<PathBuf> {
    let mounts = mountinfo.split(|byte| *byte == b'\n').filter_map(mount);
    // Of several on one folder, the last is seen.
    let (point, kind) = mounts
        .filter(|(point, _)| path.starts_with(point))
        .max_by_key(|(point, _)| point.components().count())?;
    is_network(&kind).then_some(point)
}

/// Where a line of `/proc/self/mountinfo` mounts which kind of file system (`proc(5)`).
fn mount(line: &[u8]) -> Option<(PathBuf, String)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = unescaped(fields.nth(4)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let kind = String::from_utf8_lossy(kind).into_owned();
    Some((OsString::from_vec(point).into(), kind))
}

/// Blanks, tabs, newlines and backslashes are written as `\` and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| first == b'\\');
        let octal = digits.and_then(|digits| str::from_utf8(digits).ok());
        let byte = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        rest = if byte.is_some() { &after[3..] } else { after };
        bytes.push(byte.unwrap_or(first));
    }
    bytes
}

fn is_network(kind: &str) -> bool {
    let kinds = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "ceph",
        "afs",
        "coda",
        "lustre",
        "ocfs2",
        "gfs2",
        "vboxsf",
        "virtiofs",
        "glusterfs",
        "beegfs",
    ];
    kinds.contains(&kind) || kind == "fuse" || kind.starts_with("fuse.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"\
21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 0:40 / /mnt/my\\040nas rw shared:1 master:2 - nfs4 nas:/videos rw
31 30 8:2 / /mnt/my\\040nas/local rw - xfs /dev/sdb1 rw
32 21 0:41 / /mnt/phone rw - fuse.jmtpfs jmtpfs rw
";

    #[test]
    fn a_network_mount_is_one_share_and_a_local_folder_is_its_own() {
        let share = |path: &str| network_mount(MOUNTS, Path::new(path));
        assert_eq!(share("/srv/outputs"), None);
        assert_eq!(share("/mnt/my nas/a/b"), Some("/mnt/my nas".into()));
        assert_eq!(share("/mnt/my nas"), Some("/mnt/my nas".into()));
        assert_eq!(share("/mnt/my nas/local/a"), None);
        assert_eq!(share("/mnt/my nasty"), None);
        assert_eq!(share("/mnt/phone/a"), Some("/mnt/phone".into()));
        assert_eq!(share_of(Path::new("/proc/self")), Path::new("/proc/self"));
    }
}
