//! The files that this fetch is at. Two files of a repository may have the same bytes and so the same blob, and the locks
//! between processes are not everywhere.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Paths of locks.
#[derive(Debug, Default)]
pub(crate) struct Busy(Mutex<BTreeSet<PathBuf>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Entered<'b> {
    busy: &'b Busy,
    path: PathBuf,
}

impl Busy {
    /// `None`: another thread is at it.
    pub(super) fn enter(&self, path: &Path) -> Option<Entered<'_>> {
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path.to_owned();
        let is_new = paths.insert(path.clone());
        is_new.then(|| Entered { busy: self, path })
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut paths = self.busy.0.lock().unwrap_or_else(PoisonError::into_inner);
        paths.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_is_at_a_file() {
        let busy = Busy::default();
        let entered = busy.enter(Path::new("a")).unwrap();
        assert!(busy.enter(Path::new("a")).is_none());
        assert!(busy.enter(Path::new("b")).is_some());
        drop(entered);
        assert!(busy.enter(Path::new("a")).is_some());
    }
}
