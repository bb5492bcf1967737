//! Files brought into the system's cache before they are needed, on a thread of their own.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// What is read at once.
const PIECE_BYTES: usize = 4 << 20;
/// Host memory that stays free whatever there is to read, …
const MARGIN_BYTES: u64 = 4 << 30;
/// … but not more than this part of what there is.
const MARGIN_PART: u64 = 4;

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// What was to be read was, or there was no room for more.
    Ended {
        /// Bytes that were read.
        bytes: u64,
    },
    /// It goes on beside whatever is done next.
    GoesOn,
}

/// Host memory that may be filled with files, of so much that is available.
pub(super) fn budget_bytes(available_bytes: u64) -> u64 {
    available_bytes - MARGIN_BYTES.min(available_bytes / MARGIN_PART)
}

/// Reads `files` one after the other, `budget_bytes` of them at most, and waits for that until `deadline`.
pub(super) fn read_ahead(files: Vec<PathBuf>, budget_bytes: u64, deadline: Instant) -> Reading {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let bytes = read_all(&files, budget_bytes);
        // Nobody waits any more when the deadline has passed.
        let _ = sender.send(bytes);
    });
    let patience = deadline.saturating_duration_since(Instant::now());
    match receiver.recv_timeout(patience.max(Duration::from_millis(1))) {
        Ok(bytes) => Reading::Ended { bytes },
        Err(RecvTimeoutError::Timeout) => Reading::GoesOn,
        Err(RecvTimeoutError::Disconnected) => {
            tracing::error!("the thread that reads files ahead panicked");
            Reading::Ended { bytes: 0 }
        }
    }
}

/// What can't be read is left to the job that needs it.
fn read_all(files: &[PathBuf], budget_bytes: u64) -> u64 {
    let mut piece = vec![0; PIECE_BYTES];
    let mut read_bytes = 0;
    for file in files {
        let left_bytes = budget_bytes - read_bytes;
        match read(file, left_bytes, &mut piece) {
            Ok(bytes) => read_bytes += bytes,
            Err(error) => {
                tracing::warn!(path = %file.display(), %error, "can't be read ahead");
            }
        }
        if read_bytes == budget_bytes {
            break;
        }
    }
    read_bytes
}

/// Reads a file to its end, or so much of it.
fn read(path: &Path, most_bytes: u64, piece: &mut [u8]) -> io::Result<u64> {
    let mut rest = File::open(path)?.take(most_bytes);
    let mut read_bytes = 0;
    loop {
        match rest.read(piece)? {
            0 => return Ok(read_bytes),
            bytes => read_bytes += bytes as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_read_until_the_budget_is_spent_and_none_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: usize| {
            let path = folder.path().join(name);
            fs::write(&path, vec![7; bytes]).unwrap();
            path
        };
        let files = vec![
            file("a", 3 * PIECE_BYTES / 2),
            folder.path().join("away"),
            file("b", 100),
        ];
        let all = (3 * PIECE_BYTES / 2 + 100) as u64;
        for (budget, expected) in [
            (u64::MAX, all),
            (all, all),
            (all - 1, all - 1),
            (5, 5),
            (0, 0),
        ] {
            assert_eq!(read_all(&files, budget), expected, "{budget}");
        }
        let soon = Instant::now() + Duration::from_mins(1);
        let read = read_ahead(files, u64::MAX, soon);
        assert_eq!(read, Reading::Ended { bytes: all });
    }

    #[test]
    fn a_margin_of_the_host_stays_free() {
        const GIB: u64 = 1 << 30;
        for (available, expected) in [(0, 0), (8 * GIB, 6 * GIB), (64 * GIB, 60 * GIB)] {
            assert_eq!(budget_bytes(available), expected);
        }
    }

    #[test]
    fn reading_that_takes_too_long_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // Nobody writes into it: opening it does not end.
        let read = read_ahead(vec![pipe.clone()], u64::MAX, Instant::now());
        assert_eq!(read, Reading::GoesOn);
        drop(fs::OpenOptions::new().write(true).open(pipe).unwrap());
    }
}
