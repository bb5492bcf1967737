//! Several files at a time.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Does the work for each item, at most `jobs` at a time, in their order. The first failure stops what has not begun,
/// and is returned.
pub(crate) fn each<T: Sync, E: Send>(
    jobs: NonZero<usize>,
    items: &[T],
    stop: &AtomicBool,
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let first: Mutex<Option<E>> = Mutex::new(None);
    let worker = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            if let Err(error) = work(item) {
                stop.store(true, Ordering::Relaxed);
                first
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.get().min(items.len()) {
            scope.spawn(worker);
        }
    });
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: NonZero<usize> = NonZero::new(2).unwrap();

    #[test]
    fn everything_is_done_once() {
        let done = AtomicUsize::new(0);
        let items: Vec<usize> = (1..=100).collect();
        let sum = |item: &usize| {
            done.fetch_add(*item, Ordering::Relaxed);
            Ok::<_, ()>(())
        };
        each(TWO, &items, &AtomicBool::new(false), sum).unwrap();
        assert_eq!(done.into_inner(), 5050);
    }

    #[test]
    fn first_failure_ends_it() {
        let begun = AtomicUsize::new(0);
        let fail = |item: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            Err(*item)
        };
        let stop = AtomicBool::new(false);
        let failed = each(NonZero::<usize>::MIN, &[7, 8, 9], &stop, fail);
        assert_eq!(failed, Err(7));
        assert_eq!(begun.into_inner(), 1);
    }
}
