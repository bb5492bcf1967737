//! One thread for each share that the daemon works on, so that a share that hangs holds up nobody else.
//!
//! A call on a network mount whose server is away may not return for hours, and can't be interrupted. So each such
//! call is made in a thread, its *lane*: one for each network mount, and one for each folder elsewhere. Whoever asked
//! waits as long as the lane makes progress, and gives up [`LIMIT`] after its last sign of life. From then on the
//! lane is *silent*: requests to it fail at once, and it is that until the call has returned.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use framepack_jobs::Timestamp;
use thiserror::Error;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use tracing::{info, warn};

use super::mounts::share_of;

/// A call without a sign of life for this long is not waited for. Disks that have to spin up take longer than a second.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// A thread without work ends after this long.
const IDLE: Duration = Duration::from_secs(30);

/// A share that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} does not answer", path.display())]
pub(crate) struct Silent {
    pub(crate) path: PathBuf,
}

/// The shares that do not answer, and since when.
pub(crate) type SilentShares = BTreeMap<PathBuf, Timestamp>;

/// Something that will be done.
#[derive(Debug)]
pub(crate) struct Posted(Option<oneshot::Receiver<()>>);

impl Posted {
    /// Waits until it is done; where the share does not answer, not at all.
    pub(crate) async fn done(self) {
        if let Some(done) = self.0 {
            // Given up by a thread that panicked: nothing more will be done.
            let _ = done.await;
        }
    }
}

type Work = Box<dyn FnOnce(&Pulse) + Send>;

/// The lanes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lanes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: Duration,
    lanes: Mutex<HashMap<PathBuf, Lane>>,
    /// Of threads that work on a share by themselves.
    others: Mutex<Vec<(PathBuf, Pulse)>>,
    silent: watch::Sender<SilentShares>,
}

/// One thread, and what is left for it to do.
#[derive(Debug)]
struct Lane {
    work: mpsc::Sender<Work>,
    pulse: Pulse,
}

/// The last sign of life of a lane's work; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    fn resting() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }

    /// Long work gets on.
    pub(crate) fn beat(&self) {
        *locked(&self.0) = Some(Instant::now());
    }

    /// The work is done.
    pub(crate) fn rest(&self) {
        *locked(&self.0) = None;
    }

    /// How long nothing has been heard of the work.
    fn silence(&self) -> Duration {
        locked(&self.0).map_or(Duration::ZERO, |beat| beat.elapsed())
    }
}

impl Lanes {
    /// A call without a sign of life for `limit` is not waited for.
    pub(crate) fn new(limit: Duration) -> Self {
        Self(Arc::new(Shared {
            limit,
            lanes: Mutex::default(),
            others: Mutex::default(),
            silent: watch::channel(SilentShares::new()).0,
        }))
    }

    /// The shares that do not answer, now and at each change.
    pub(crate) fn silent(&self) -> watch::Receiver<SilentShares> {
        self.0.silent.subscribe()
    }

    /// For a thread that works where `path` lies by itself: it has to tell that it gets on.
    pub(crate) fn guard(&self, path: &Path) -> Pulse {
        let pulse = Pulse::resting();
        let guarded = (path.to_owned(), pulse.clone());
        locked(&self.0.others).push(guarded);
        pulse
    }

    /// The paths of such threads that do not get on.
    pub(crate) fn stuck(&self) -> Vec<PathBuf> {
        // It may have waited for another share meanwhile.
        let limit = 2 * self.0.limit;
        let others = locked(&self.0.others);
        let stuck = others.iter().filter(|(_, pulse)| pulse.silence() >= limit);
        stuck.map(|(path, _)| path.clone()).collect()
    }

    /// Does something where `path` lies, after what was asked for there before. An error: the share does not answer.
    /// The work may then still be done, and what it returns is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(&Pulse) -> T + Send + 'static,
    ) -> Result<T, Silent> {
        let share = share_of(path);
        if self.0.silent.borrow().contains_key(&share) {
            return Err(Silent { path: share });
        }
        let (reply, mut answer) = oneshot::channel();
        let pulse = self.send(
            &share,
            Box::new(move |pulse| {
                // Whoever gave up while this was waiting asks again.
                if !reply.is_closed() {
                    // The same while it was done.
                    let _ = reply.send(work(pulse));
                }
            }),
        );
        loop {
            let left = self.0.limit.saturating_sub(pulse.silence());
            if left.is_zero() {
                self.0.lost(&share, &pulse);
                return Err(Silent { path: share });
            }
            match timeout(left, &mut answer).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) => return Err(Silent { path: share }),
                Err(_) => {}
            }
        }
    }

    /// Has something done where `path` lies, whenever that answers.
    pub(crate) fn post(&self, path: &Path, work: impl FnOnce() + Send + 'static) -> Posted {
        let share = share_of(path);
        let (reply, done) = oneshot::channel();
        self.send(
            &share,
            Box::new(move |_| {
                work();
                // Few wait for it.
                let _ = reply.send(());
            }),
        );
        let is_silent = self.0.silent.borrow().contains_key(&share);
        Posted((!is_silent).then_some(done))
    }

    fn send(&self, share: &Path, mut work: Work) -> Pulse {
        let mut lanes = locked(&self.0.lanes);
        if let Some(lane) = lanes.get(share) {
            match lane.work.send(work) {
                Ok(()) => return lane.pulse.clone(),
                // Its thread has panicked.
                Err(mpsc::SendError(unsent)) => work = unsent,
            }
        }
        let (sender, inbox) = mpsc::channel();
        let pulse = Pulse::resting();
        let _ = sender.send(work);
        let lane = Lane {
            work: sender,
            pulse: pulse.clone(),
        };
        lanes.insert(share.to_owned(), lane);
        drop(lanes);
        let (shared, share, own_pulse) = (Arc::clone(&self.0), share.to_owned(), pulse.clone());
        let started = thread::Builder::new()
            .name("share".into())
            .spawn(move || shared.serve(&share, &own_pulse, &inbox));
        if let Err(error) = started {
            // The work is dropped with its inbox, and whoever waits for it is told.
            warn!(%error, "starting a thread");
        }
        pulse
    }
}

impl Shared {
    /// A lane's thread: does what is asked for, until nothing is for a while.
    fn serve(&self, share: &Path, pulse: &Pulse, inbox: &mpsc::Receiver<Work>) {
        loop {
            let Some(work) = self.next(share, inbox) else {
                return;
            };
            pulse.beat();
            work(pulse);
            pulse.rest();
            self.found(share);
        }
    }

    /// What a lane is to do next. `None`: it was idle for long, and nobody knows of it any more.
    fn next(&self, share: &Path, inbox: &mpsc::Receiver<Work>) -> Option<Work> {
        if let Ok(work) = inbox.recv_timeout(IDLE) {
            return Some(work);
        }
        let mut lanes = locked(&self.lanes);
        // Nothing can be sent while the map is locked.
        let late = inbox.try_recv().ok();
        if late.is_none() {
            lanes.remove(share);
        }
        late
    }

    /// A share does not answer.
    fn lost(&self, share: &Path, pulse: &Pulse) {
        self.silent.send_if_modified(|silent| {
            // It may have come back in this very moment.
            if silent.contains_key(share) || pulse.silence() < self.limit {
                return false;
            }
            warn!(path = %share.display(), "does not answer: jobs with files there wait");
            silent.insert(share.to_owned(), Timestamp::now());
            true
        });
    }

    /// A share has answered.
    fn found(&self, share: &Path) {
        self.silent.send_if_modified(|silent| {
            let was_silent = silent.remove(share).is_some();
            if was_silent {
                info!(path = %share.display(), "answers again");
            }
            was_silent
        });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
