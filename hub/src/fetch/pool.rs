//! Several files at a time.

use std::{
    num::NonZero,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// Says to all that nothing more is to be done. Whoever pauses is woken.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(crate) fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pauses, unless it is set or gets set meanwhile: then `true`, at once.
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |is_set: &mut bool| !*is_set;
        let waited = self.changed.wait_timeout_while(is_set, pause, goes_on);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Does the work for each item, at most `jobs` at a time, in their order. The first failure stops what has not begun,
/// and is returned.
pub(crate) fn each<T: Sync, E: Send>(
    jobs: NonZero<usize>,
    items: &[T],
    stop: &Stop,
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let first: Mutex<Option<E>> = Mutex::new(None);
    let worker = || {
        while !stop.is_set() {
            let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            if let Err(error) = work(item) {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
                // Only now: those that stop for it must not be the first.
                stop.set();
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
        each(TWO, &items, &Stop::default(), sum).unwrap();
        assert_eq!(done.into_inner(), 5050);
    }

    #[test]
    fn pause_ends_when_something_fails() {
        let stop = Stop::default();
        let work = |item: &usize| match item {
            0 if stop.wait(Duration::from_hours(1)) => Err("stopped"),
            0 => Ok(()),
            _ => Err("failed"),
        };
        assert_eq!(each(TWO, &[0, 1], &stop, work), Err("failed"));
        assert!(stop.wait(Duration::from_hours(1)));
        assert!(!Stop::default().wait(Duration::ZERO));
    }

    #[test]
    fn first_failure_ends_it() {
        let begun = AtomicUsize::new(0);
        let fail = |item: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            Err(*item)
        };
        let stop = Stop::default();
        let failed = each(NonZero::<usize>::MIN, &[7, 8, 9], &stop, fail);
        assert_eq!(failed, Err(7));
        assert_eq!(begun.into_inner(), 1);
    }
}
