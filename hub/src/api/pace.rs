//! How fast bytes come. A connection on which a byte comes now and then is no better than one on which none comes.

use std::time::{Duration, Instant};

/// What every line gives that works at all.
const LEAST_BYTES_PER_SEC: f64 = 100.0;

/// Counts the bytes of an answer.
#[derive(Debug)]
pub(crate) struct Pace {
    window: Duration,
    begun: Instant,
    bytes: u64,
}

impl Pace {
    /// Looked at once in so long a time.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            begun: Instant::now(),
            bytes: 0,
        }
    }

    /// So many more bytes have come by `now`. `Err`: too slowly; how many in the window.
    pub(crate) fn came(&mut self, bytes: usize, now: Instant) -> Result<(), u64> {
        self.bytes += bytes as u64;
        let elapsed = now.duration_since(self.begun);
        if elapsed < self.window {
            return Ok(());
        }
        let came = self.bytes;
        (self.begun, self.bytes) = (now, 0);
        let least = elapsed.as_secs_f64() * LEAST_BYTES_PER_SEC;
        if (came as f64) < least {
            return Err(came);
        }
        Ok(())
    }

    pub(crate) fn window(&self) -> Duration {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drip_is_too_slow() {
        let minute = Duration::from_mins(1);
        let mut pace = Pace::new(minute);
        let begun = pace.begun;
        assert_eq!(pace.came(1, begun + minute / 2), Ok(()));
        assert_eq!(pace.came(1, begun + minute), Err(2));
        assert_eq!(pace.came(6000, begun + minute * 2), Ok(()));
        assert_eq!(pace.came(5999, begun + minute * 3), Err(5999));
    }
}
