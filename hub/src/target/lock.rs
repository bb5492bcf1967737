//! Locks between processes: of two that fetch the same file, one waits. They are those of the Hub's own client (`flock`),
//! so it waits as well; the kernel takes them back from a process that dies.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

const ENOLCK: i32 = 37;

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    #[expect(dead_code, reason = "it is held")]
    file: File,
    /// Whether others are kept out: not every file system has locks.
    pub(crate) is_real: bool,
}

impl Lock {
    /// Waits for it.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let locked = file.lock();
        Self::of(file, locked)
    }

    /// `None`: somebody else has it.
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Self::of(file, Ok(())).map(Some),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Self::of(file, Err(error)).map(Some),
        }
    }

    fn of(file: File, locked: io::Result<()>) -> io::Result<Self> {
        let is_real = match locked {
            Ok(()) => true,
            Err(error) if has_no_locks(&error) => false,
            Err(error) => return Err(error),
        };
        Ok(Self { file, is_real })
    }
}

fn open(path: &Path) -> io::Result<File> {
    super::create_folder_of(path)?;
    File::options().create(true).append(true).open(path)
}

/// Whether it is the file system that can't lock anything.
fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK)
}

/// Whether a process holds it; nothing is written to find out.
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
        let lock = Lock::take(&path).unwrap();
        assert!(lock.is_real && is_locked(&path));
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(lock);
        assert!(!is_locked(&path));
        assert!(Lock::try_take(&path).unwrap().is_some());
    }

    #[test]
    fn file_system_without_locks_is_gone_on_with() {
        const ENOSYS: i32 = 38;
        const EIO: i32 = 5;
        let of = |errno| {
            let file = tempfile::tempfile().unwrap();
            Lock::of(file, Err(io::Error::from_raw_os_error(errno)))
        };
        assert!(!of(ENOSYS).unwrap().is_real);
        assert!(!of(ENOLCK).unwrap().is_real);
        assert!(of(EIO).is_err());
    }
}
