//! What one user may ask of the daemon at a time, so that nobody keeps the others waiting or makes it swell.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use nix::unistd::Uid;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections of all users; below the 1024 files that a process may usually open.
pub(super) const MAX_CONNECTIONS: usize = 768;
/// Connections of one user. Scripts that wait for many jobs have one for each.
pub(super) const MAX_CONNECTIONS_OF_USER: usize = 512;
/// Requests that a user may send at once …
const BURST: f64 = 1000.0;
/// … and how many more each second. Those beyond wait.
pub(super) const REQUESTS_PER_SEC: f64 = 1000.0;
/// Long messages, received or sent, that a user's connections may hold in memory at a time.
const MAX_LONG_MESSAGES: usize = 8;

/// What all users have taken; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits(Arc<Mutex<Usage>>);

#[derive(Debug, Default)]
struct Usage {
    connections: usize,
    /// Everybody who ever came: there are no more of them than users of the system.
    users: HashMap<Uid, UserUsage>,
}

#[derive(Debug)]
struct UserUsage {
    connections: usize,
    requests: TokenBucket,
    long_messages: Arc<Semaphore>,
}

/// Requests that a user may still send.
#[derive(Debug)]
struct TokenBucket {
    left: f64,
    filled_at: Instant,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limits: Limits,
    user: Uid,
    long_messages: Arc<Semaphore>,
}

impl Limits {
    /// A place for one more connection of `user`.
    pub(super) fn admit(&self, user: Uid) -> Result<ConnectionPermit, ErrorBody> {
        let mut taken = self.lock();
        let total = taken.connections;
        let one = taken.users.entry(user).or_insert_with(UserUsage::new);
        let full = if one.connections >= MAX_CONNECTIONS_OF_USER {
            Some(format!(
                "you have {MAX_CONNECTIONS_OF_USER} connections to the daemon, the limit for one user"
            ))
        } else if total >= MAX_CONNECTIONS {
            Some(format!(
                "the daemon has {MAX_CONNECTIONS} connections, which is its limit"
            ))
        } else {
            None
        };
        if let Some(message) = full {
            return Err(ErrorBody::new(Code::TOO_MANY_CONNECTIONS, message));
        }
        one.connections += 1;
        let long_messages = one.long_messages.clone();
        taken.connections += 1;
        Ok(ConnectionPermit {
            limits: self.clone(),
            user,
            long_messages,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Usage> {
        // Counters are right at every moment at which a panic could happen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// Counts a request, and waits if the user sends too many.
    pub(super) async fn request(&self) {
        let pause = match self.limits.lock().users.get_mut(&self.user) {
            Some(user) => user.requests.take(Instant::now()),
            None => Duration::ZERO,
        };
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits until the user may hold one more long message.
    pub(super) async fn long_message(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed, so there always is one in the end.
        self.long_messages.clone().acquire_owned().await.ok()
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.limits.lock();
        taken.connections -= 1;
        if let Some(user) = taken.users.get_mut(&self.user) {
            user.connections -= 1;
        }
    }
}

impl UserUsage {
    fn new() -> Self {
        Self {
            connections: 0,
            requests: TokenBucket {
                left: BURST,
                filled_at: Instant::now(),
            },
            long_messages: Arc::new(Semaphore::new(MAX_LONG_MESSAGES)),
        }
    }
}

impl TokenBucket {
    /// Takes one request out at `now`, on credit if need be; how long to wait before it is carried out.
    fn take(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.left = BURST.min(self.left + passed * REQUESTS_PER_SEC) - 1.0;
        self.filled_at = now;
        Duration::from_secs_f64((-self.left).max(0.0) / REQUESTS_PER_SEC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_so_many_connections_and_all_users_together_so_many() {
        let limits = Limits::default();
        let [alice, bob, carol] = [1, 2, 3].map(Uid::from_raw);
        let mut seats: Vec<ConnectionPermit> = (0..MAX_CONNECTIONS_OF_USER)
            .map(|_| limits.admit(alice).unwrap())
            .collect();
        let refused = limits.admit(alice).unwrap_err();
        assert_eq!(refused.code, "FP1014");
        assert!(refused.message.starts_with("you have"), "{refused}");
        for _ in MAX_CONNECTIONS_OF_USER..MAX_CONNECTIONS {
            seats.push(limits.admit(bob).unwrap());
        }
        let refused = limits.admit(carol).unwrap_err();
        assert!(refused.message.starts_with("the daemon has"), "{refused}");
        drop(seats.pop());
        assert!(limits.admit(carol).is_ok());
        drop(seats);
        assert_eq!(limits.lock().connections, 0);
    }

    #[test]
    fn a_flood_of_requests_is_slowed_to_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket {
            left: BURST,
            filled_at: start,
        };
        for _ in 0..BURST as u32 {
            assert!(bucket.take(start).is_zero());
        }
        let pause = (0..500).map(|_| bucket.take(start)).last().unwrap();
        assert_eq!(pause, Duration::from_millis(500));
        // Later all is forgiven.
        assert!(bucket.take(start + Duration::from_secs(2)).is_zero());
    }
}
