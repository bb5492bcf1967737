//! A few threads for many lanes. A lane's work is done in order, one piece at a time; a thread that hangs is replaced.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::warn;

use super::pulse::Pulse;

/// Threads that get on; those that hang come on top.
const MAX_THREADS: usize = 16;
/// A thread without work ends after this long.
const IDLE: Duration = Duration::from_secs(10);

/// Work of a lane.
pub(super) type Lane = Box<dyn FnOnce(&Pulse) + Send>;

/// The threads; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Threads(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when a lane has work.
    work: Condvar,
}

#[derive(Default)]
struct State {
    lanes: HashMap<PathBuf, Queue>,
    /// Lanes with work that no thread has.
    ready: VecDeque<PathBuf>,
    threads: usize,
    idle: usize,
}

/// A lane's work.
#[derive(Default)]
struct Queue {
    work: VecDeque<Lane>,
    pulse: Pulse,
    is_busy: bool,
    /// Its thread hangs, and does not count.
    is_lost: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lanes: Vec<_> = self.lanes.keys().collect();
        let mut state = f.debug_struct("State");
        state.field("lanes", &lanes).field("threads", &self.threads);
        state.finish_non_exhaustive()
    }
}

impl Threads {
    /// Has a lane's work done after what it has to do already. Returns the lane's signs of life.
    pub(super) fn send(&self, lane: &Path, work: Lane) -> Pulse {
        let mut state = self.0.lock();
        let queue = state.lanes.entry(lane.to_owned()).or_default();
        let is_new = !queue.is_busy && queue.work.is_empty();
        queue.work.push_back(work);
        let pulse = queue.pulse.clone();
        if is_new {
            state.ready.push_back(lane.to_owned());
            self.wake(&mut state);
        }
        pulse
    }

    /// A lane's thread hangs: another one takes its place for the other lanes.
    pub(super) fn replace(&self, lane: &Path) {
        let mut state = self.0.lock();
        let hung = state
            .lanes
            .get_mut(lane)
            .filter(|queue| queue.is_busy && !queue.is_lost);
        if let Some(queue) = hung {
            queue.is_lost = true;
            state.threads -= 1;
            if !state.ready.is_empty() {
                self.wake(&mut state);
            }
        }
    }

    /// Sees to it that a thread takes the work that is ready.
    fn wake(&self, state: &mut State) {
        // One that was told before may still have to wake up: then this work is for another one.
        self.0.work.notify_one();
        if state.idle >= state.ready.len() || state.threads >= MAX_THREADS {
            return;
        }
        let shared = Arc::clone(&self.0);
        let started = thread::Builder::new()
            .name("disk".into())
            .spawn(move || shared.serve());
        match started {
            Ok(_) => state.threads += 1,
            // The threads that there are take it, or the next one that can be started.
            Err(error) => warn!(%error, "starting a thread for the disks"),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread: does the work of lanes, until there is none for a while.
    fn serve(&self) {
        while let Some((lane, pulse, work)) = self.next() {
            pulse.beat();
            work(&pulse);
            pulse.rest();
            self.done(&lane);
        }
    }

    /// A lane with work. `None`: this thread is not needed any more.
    fn next(&self) -> Option<(PathBuf, Pulse, Lane)> {
        let mut state = self.lock();
        if state.threads > MAX_THREADS {
            state.threads -= 1;
            return None;
        }
        if state.ready.is_empty() {
            state.idle += 1;
            let waited = self
                .work
                .wait_timeout_while(state, IDLE, |state| state.ready.is_empty());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
        let Some(lane) = state.ready.pop_front() else {
            state.threads -= 1;
            return None;
        };
        let queue = state.lanes.entry(lane.clone()).or_default();
        queue.is_busy = true;
        let work = queue.work.pop_front();
        let pulse = queue.pulse.clone();
        Some((lane, pulse, work.expect("a lane is ready when it has work")))
    }

    /// A piece of a lane's work is done.
    fn done(&self, lane: &Path) {
        let mut state = self.lock();
        let Some(queue) = state.lanes.get_mut(lane) else {
            return;
        };
        queue.is_busy = false;
        let was_lost = std::mem::take(&mut queue.is_lost);
        if queue.work.is_empty() {
            state.lanes.remove(lane);
        } else {
            state.ready.push_back(lane.to_owned());
        }
        state.threads += usize::from(was_lost);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn threads(threads: &Threads) -> usize {
        threads.0.lock().threads
    }

    #[test]
    fn many_lanes_share_few_threads_and_each_keeps_its_order() {
        let pool = Threads::default();
        let (done, order) = mpsc::channel();
        for n in 0..300 {
            for step in 0..3 {
                let done = done.clone();
                let work = move |_: &Pulse| done.send((n, step)).unwrap();
                pool.send(Path::new(&format!("/{n}")), Box::new(work));
            }
        }
        drop(done);
        let mut next = [0; 300];
        for (n, step) in order {
            assert_eq!(step, next[n], "{n}");
            next[n] += 1;
        }
        assert!(next.iter().all(|steps| *steps == 3));
        assert!(threads(&pool) <= MAX_THREADS);
    }

    #[test]
    fn lanes_that_get_work_at_once_do_not_wait_for_each_other() {
        let pool = Threads::default();
        let (done, answer) = mpsc::channel();
        pool.send(
            Path::new("/first"),
            Box::new(move |_| done.send(()).unwrap()),
        );
        answer.recv().unwrap();
        // Now one thread is idle, or about to be.
        let (begun, begins) = mpsc::channel();
        let releases: Vec<_> = (0..8)
            .map(|n| {
                let (release, hang) = mpsc::channel::<()>();
                let begun = begun.clone();
                let work = move |_: &Pulse| {
                    begun.send(()).unwrap();
                    let _ = hang.recv();
                };
                pool.send(Path::new(&format!("/{n}")), Box::new(work));
                release
            })
            .collect();
        for n in 0..8 {
            let begun = begins.recv_timeout(Duration::from_secs(20));
            begun.unwrap_or_else(|_| panic!("{n} of 8 lanes have a thread"));
        }
        drop(releases);
    }

    #[test]
    fn threads_that_hang_are_replaced() {
        let pool = Threads::default();
        let mut held = Vec::new();
        for n in 0..2 * MAX_THREADS {
            let (release, hang) = mpsc::channel::<()>();
            let (begun, begins) = mpsc::channel();
            let lane = format!("/{n}");
            let work = move |_: &Pulse| {
                begun.send(()).unwrap();
                let _ = hang.recv();
            };
            pool.send(Path::new(&lane), Box::new(work));
            begins.recv().unwrap();
            pool.replace(Path::new(&lane));
            held.push(release);
        }
        let (done, answer) = mpsc::channel();
        pool.send(
            Path::new("/free"),
            Box::new(move |_| done.send(()).unwrap()),
        );
        answer.recv().unwrap();
        assert!(threads(&pool) <= MAX_THREADS);
        drop(held);
    }
}
