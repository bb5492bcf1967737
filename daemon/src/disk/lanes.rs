//! Calls on file systems that may hang, each in a thread that may wait for it.
//!
//! A call on a network mount whose server is away may not return for hours, and can't be interrupted. So calls are made
//! in threads, in order for each folder: its *lane*. Whoever asked waits as long as the lane makes progress, and gives up
//! [`LIMIT`] after its last sign of life. From then on the *share* that the folder lies on is silent: requests to it fail
//! at once, until the call has returned. A network mount is one share; elsewhere each folder is one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use framepack_jobs::Timestamp;
use thiserror::Error;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use tracing::{info, warn};

use super::{
    mounts::share_of,
    pulse::{Guarded, Pulse},
    threads::{Lane, Threads},
};

/// A call without a sign of life for this long is not waited for. Disks that have to spin up take longer than a second.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// A share that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} does not answer", path.display())]
pub(crate) struct Silent {
    pub(crate) path: PathBuf,
}

/// The shares that do not answer, and since when.
pub(crate) type SilentShares = BTreeMap<PathBuf, Timestamp>;

/// The lanes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lanes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: Duration,
    threads: Threads,
    /// Threads that work on a share by themselves.
    guarded: Guarded,
    silent: watch::Sender<SilentShares>,
}

/// Something that will be done.
#[derive(Debug)]
pub(crate) struct Posted(oneshot::Receiver<()>);

impl Posted {
    /// Waits until it is done; where the share does not answer, not at all.
    pub(crate) async fn done(self) {
        // Its sender is gone when nobody waits any more for the share.
        let _ = self.0.await;
    }
}

/// A lane on its share, and what a request has to wait for.
struct Request<T> {
    share: PathBuf,
    lane: PathBuf,
    pulse: Pulse,
    answer: oneshot::Receiver<T>,
}

impl Lanes {
    /// A call without a sign of life for `limit` is not waited for.
    pub(crate) fn new(limit: Duration) -> Self {
        Self(Arc::new(Shared {
            limit,
            threads: Threads::default(),
            guarded: Guarded::default(),
            silent: watch::channel(SilentShares::new()).0,
        }))
    }

    /// The shares that do not answer, now and at each change.
    pub(crate) fn silent(&self) -> watch::Receiver<SilentShares> {
        self.0.silent.subscribe()
    }

    /// For a thread that works where `path` lies by itself: it has to tell that it gets on.
    pub(crate) fn guard(&self, path: &Path) -> Pulse {
        self.0.guarded.add(path)
    }

    /// The paths of such threads that do not get on.
    pub(crate) fn stuck(&self) -> Vec<PathBuf> {
        // It may have waited for another share meanwhile.
        self.0.guarded.silent_for(2 * self.0.limit)
    }

    /// Does something in the folder `lane`, after what was asked for there before. An error: the share does not answer.
    /// The work may then still be done, and what it returns is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: &Path,
        work: impl FnOnce(&Pulse) -> T + Send + 'static,
    ) -> Result<T, Silent> {
        let share = share_of(lane);
        if self.is_silent(&share) {
            return Err(Silent { path: share });
        }
        self.request(share, lane, work).answer(&self.0).await
    }

    /// Has something done in the folder `lane`, whenever its share answers.
    pub(crate) fn post(&self, lane: &Path, work: impl FnOnce() + Send + 'static) -> Posted {
        let share = share_of(lane);
        let (reply, done) = oneshot::channel();
        let (finished, answer) = oneshot::channel();
        let shared = Arc::clone(&self.0);
        let own_share = share.clone();
        let pulse = self.0.threads.send(
            lane,
            Box::new(move |pulse| {
                work();
                // Before anybody asks again, who would find the old silence.
                pulse.beat();
                shared.found(&own_share);
                // Few wait for it.
                let _ = finished.send(());
            }),
        );
        if !self.is_silent(&share) {
            let request = Request {
                share,
                lane: lane.to_owned(),
                pulse,
                answer,
            };
            let shared = Arc::clone(&self.0);
            // Should the share hang, that is noticed although nobody waits.
            tokio::spawn(async move {
                if request.answer(&shared).await.is_ok() {
                    let _ = reply.send(());
                }
            });
        }
        Posted(done)
    }

    fn is_silent(&self, share: &Path) -> bool {
        self.0.silent.borrow().contains_key(share)
    }

    fn request<T: Send + 'static>(
        &self,
        share: PathBuf,
        lane: &Path,
        work: impl FnOnce(&Pulse) -> T + Send + 'static,
    ) -> Request<T> {
        let (reply, answer) = oneshot::channel();
        let (shared, own_share) = (Arc::clone(&self.0), share.clone());
        let work: Lane = Box::new(move |pulse| {
            // Whoever gave up while this was waiting asks again.
            if !reply.is_closed() {
                let done = work(pulse);
                // Before anybody asks again, who would find the old silence.
                pulse.beat();
                shared.found(&own_share);
                // The same while it was done.
                let _ = reply.send(done);
            }
        });
        Request {
            pulse: self.0.threads.send(lane, work),
            lane: lane.to_owned(),
            share,
            answer,
        }
    }
}

impl<T> Request<T> {
    /// The answer, or that there is none within the time limit.
    async fn answer(mut self, shared: &Shared) -> Result<T, Silent> {
        loop {
            let left = shared.limit.saturating_sub(self.pulse.silence());
            if left.is_zero() {
                shared.lost(&self.share, &self.lane, &self.pulse);
                return Err(Silent { path: self.share });
            }
            match timeout(left, &mut self.answer).await {
                Ok(Ok(answer)) => return Ok(answer),
                // The work has panicked.
                Ok(Err(_)) => return Err(Silent { path: self.share }),
                Err(_) => {}
            }
        }
    }
}

impl Shared {
    /// A share does not answer: from now on nobody waits for the lane's thread.
    fn lost(&self, share: &Path, lane: &Path, pulse: &Pulse) {
        self.threads.replace(lane);
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

#[cfg(test)]
mod tests;
