//! Whether somebody has a file open for writing: a read lease is refused while one does (`fcntl(2)`, `F_SETLEASE`).
//!
//! It needs a local file system, and a file of the daemon's own user or `CAP_LEASE`; else it says nothing. So it is
//! asked in addition to the settle rules, never instead of them.
#![expect(unsafe_code, reason = "no safe wrapper of F_SETLEASE exists")]

use std::{fs::File, io, os::fd::AsRawFd};

use nix::libc;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Taken before the first lease, and kept: a writer who comes while a lease is held makes the kernel send
/// SIGIO, which ends a process that does not handle it.
pub(crate) fn guard() -> io::Result<Signal> {
    signal(SignalKind::io())
}

/// Whether a process has this file open for writing. `None`: there is no telling.
pub(crate) fn is_open_for_writing(file: &File) -> Option<bool> {
    // SAFETY: the descriptor is open as long as `file` is borrowed, and F_SETLEASE takes an integer, no pointer.
    let taken = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) };
    if taken == -1 {
        let busy = io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock;
        return busy.then_some(true);
    }
    // SAFETY: as above. A writer who waits for the lease's end goes on.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_04_a_writer_is_seen_until_it_closes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        let writer = File::create(&path).unwrap();
        let reader = File::open(&path).unwrap();
        assert_eq!(is_open_for_writing(&reader), Some(true));
        drop(writer);
        assert_eq!(is_open_for_writing(&reader), Some(false));
        // And the lease was given back: a writer need not wait.
        File::options().append(true).open(&path).unwrap();
    }
}
