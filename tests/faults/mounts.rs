//! A small disk that only this test sees: a tmpfs in a mount namespace of its own.

use std::path::Path;

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};

/// Mounts a tmpfs of `mib` MiB at `folder`, for this thread and the processes that it starts.
///
/// # Panics
/// Where mounts are forbidden: what would be tested there can't be, and a test that passes would lie.
pub(crate) fn mount_small_disk(folder: &Path, mib: u64) {
    let explain =
        "a mount namespace: run the tests as root, or in `unshare --user --map-root-user --mount`";
    unshare(CloneFlags::CLONE_NEWNS).expect(explain);
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect(explain);
    let size = format!("size={mib}m");
    mount(
        Some("tmpfs"),
        folder,
        Some("tmpfs"),
        MsFlags::empty(),
        Some(&*size),
    )
    .expect(explain);
}

/// Takes it away again, if there is one.
pub(crate) fn unmount(folder: &Path) {
    // Where nothing is mounted this fails, and there is nothing to do.
    let _ = umount2(folder, MntFlags::MNT_DETACH);
}
