//! What is tried again after it failed, and when.

use std::{thread, time::Duration};

use super::error::ApiError;

/// A server that wants us to wait longer is not waited for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Failures in a row double the pause up to this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// An answer that does not fit is not put up with for as long as a network that fails.
const MISFIT_RETRIES: u32 = 3;

/// How often and how soon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Failures in a row that are put up with.
    pub(crate) retries: u32,
    /// The pause after the first.
    pub(crate) delay: Duration,
}

impl Patience {
    /// The pause after so many failures in a row; `None`: no more.
    pub(crate) fn pause(self, failures: u32, error: &ApiError) -> Option<Duration> {
        let retries = match error {
            ApiError::Misfit { .. } => self.retries.min(MISFIT_RETRIES),
            _ => self.retries,
        };
        if !error.is_passing() || failures > retries {
            return None;
        }
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let own = self
            .delay
            .saturating_mul(doubled)
            .min(LONGEST_PAUSE.max(self.delay));
        match error.retry_after() {
            Some(wanted) if wanted > LONGEST_WAIT => None,
            Some(wanted) => Some(wanted),
            None => Some(own),
        }
    }

    /// Tries until it succeeds or fails for good.
    pub(crate) fn insist<T>(
        self,
        note: impl Fn(&str),
        mut attempt: impl FnMut() -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut failures = 0;
        loop {
            let error = match attempt() {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            failures += 1;
            let Some(pause) = self.pause(failures, &error) else {
                return Err(error);
            };
            note(&again(&error, pause));
            thread::sleep(pause);
        }
    }
}

/// What the user is told of a failure that is not the end.
pub(crate) fn again(error: &ApiError, pause: Duration) -> String {
    match pause.as_secs() {
        0 => format!("{error}; trying again"),
        secs => format!("{error}; trying again in {secs} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after: Option<u64>) -> ApiError {
        ApiError::Busy {
            what: "a".into(),
            host: "h".into(),
            said: "429".into(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn pauses_double_and_end() {
        let patience = Patience {
            retries: 8,
            delay: Duration::from_secs(1),
        };
        let pauses: Vec<_> = (1..=9)
            .map(|failures| patience.pause(failures, &busy(None)).map(|it| it.as_secs()))
            .collect();
        let expected = [1, 2, 4, 8, 16, 32, 60, 60].map(Some);
        assert_eq!(pauses, [&expected[..], &[None]].concat());
    }

    #[test]
    fn servers_wish_counts_within_reason() {
        let patience = Patience {
            retries: 1,
            delay: Duration::from_secs(9),
        };
        assert_eq!(patience.pause(1, &busy(Some(0))), Some(Duration::ZERO));
        assert_eq!(
            patience.pause(1, &busy(Some(30))),
            Some(Duration::from_secs(30))
        );
        assert_eq!(patience.pause(1, &busy(Some(3000))), None);
    }
}
