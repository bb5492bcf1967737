//! Locks between processes: of two that fetch the same file, one waits. They are those of the Hub's own client (`flock`),
//! so it waits as well; the kernel takes them back from a process that dies.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held")] File);

impl Lock {
    /// Waits for it; `wait` hears if somebody else has it.
    pub(crate) fn take(path: &Path, wait: impl FnOnce()) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                wait();
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self(file))
    }
}

/// Whether a process holds it.
pub(crate) fn is_locked(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_until_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.lock");
        assert!(!is_locked(&path));
        let lock = Lock::take(&path, || unreachable!()).unwrap();
        assert!(is_locked(&path));
        drop(lock);
        assert!(!is_locked(&path));
    }
}
