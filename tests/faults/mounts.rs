//! A small disk that only this test sees: a tmpfs in a mount namespace of its own.

use std::{env, path::Path, process::Command};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};

/// Says that this process was started by [`again_in_a_namespace`].
const INSIDE: &str = "FAULT_NAMESPACE";

/// Whether this process may have a mount namespace of its own, or is in one where it may.
pub(crate) fn are_allowed() -> bool {
    env::var_os(INSIDE).is_some() || nix::unistd::geteuid().is_root()
}

/// Runs one test of this program where it is root, for those who are not.
///
/// # Panics
/// When that test fails, or where such a namespace is forbidden: a test that passes without a small disk would lie.
pub(crate) fn again_in_a_namespace(test: &str) {
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(env::current_exe().expect("a running program has a file"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("`unshare` of util-linux");
    assert!(
        status.success(),
        "{test} in a namespace of its own: {status}"
    );
}

/// Mounts a tmpfs of `mib` MiB at `folder`, for this thread and the processes that it starts.
///
/// # Panics
/// Where mounts are forbidden: what would be tested there can't be, and a test that passes would lie.
pub(crate) fn mount_small_disk(folder: &Path, mib: u64) {
    let explain = "a mount namespace: run the tests as root, or where unprivileged user namespaces are allowed";
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
