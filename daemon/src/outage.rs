//! A fault of the farm that lasts: since when, and when it is tried again. Models and devices have one each.

use std::time::{Duration, Instant};

use framepack_ipc::control::Outage;
use framepack_jobs::{Failure, Timestamp};

/// Between two tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pauses {
    /// Before the first; doubled with each.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

/// A fault that lasts.
#[derive(Debug)]
pub(crate) struct LastingFault {
    failure: Failure,
    since: Timestamp,
    pauses: Pauses,
    /// How often it was met when it was tried.
    tries: u32,
    due: Instant,
    /// The same for people.
    due_at: Timestamp,
}

/// Whether a fault has another code than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    New,
    Known,
}

impl LastingFault {
    /// One that was seen and that nobody has met. It is tried at once.
    pub(crate) fn expected(failure: Failure, pauses: Pauses) -> Self {
        Self {
            failure,
            since: Timestamp::now(),
            pauses,
            tries: 0,
            due: Instant::now(),
            due_at: Timestamp::now(),
        }
    }

    /// One that was met just now. It is tried after a pause.
    pub(crate) fn first_met(failure: Failure, pauses: Pauses) -> Self {
        let mut fault = Self::expected(failure, pauses);
        fault.put_off();
        fault
    }

    /// It was tried, and this was met: the same, or another fault, for which the pauses begin again.
    pub(crate) fn met(&mut self, failure: Failure) -> News {
        let is_known = self.failure.code == failure.code;
        if !self.is_like(&failure) {
            self.begin_again();
            self.tries = 0;
        }
        self.failure = failure;
        self.put_off();
        if is_known { News::Known } else { News::New }
    }

    /// It lasts since now.
    pub(crate) fn begin_again(&mut self) {
        self.since = Timestamp::now();
    }

    fn put_off(&mut self) {
        let pause = self.pauses.first;
        let pause = pause.saturating_mul(2_u32.saturating_pow(self.tries));
        let pause = pause.min(self.pauses.longest);
        self.tries = self.tries.saturating_add(1);
        self.due = Instant::now() + pause;
        self.due_at = Timestamp::now().plus(pause);
    }

    /// It is tried as soon as somebody can.
    pub(crate) fn try_now(&mut self) {
        self.due = Instant::now();
        self.due_at = Timestamp::now();
    }

    pub(crate) fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Whether it was met, and not only seen.
    pub(crate) fn is_met(&self) -> bool {
        self.tries > 0
    }

    /// When it may be tried.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    pub(crate) fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// Whether this is the same: a fault with the same code of the same file, whose message may tell how far a copy is.
    pub(crate) fn is_like(&self, failure: &Failure) -> bool {
        self.failure.code == failure.code && place(&self.failure) == place(failure)
    }

    /// For people; whom it keeps from working is to be added.
    pub(crate) fn told(&self, trying: bool) -> Outage {
        Outage {
            code: self.failure.code.clone(),
            message: self.failure.message.clone(),
            hint: self.failure.hint.clone(),
            since: self.since,
            next_try: (!trying && !self.is_due()).then_some(self.due_at),
            trying,
            devices: Vec::new(),
            models: Vec::new(),
        }
    }
}

/// The file or folder that a failure names first.
fn place(failure: &Failure) -> Option<&str> {
    let mut words = failure.message.split_whitespace();
    let path = words.find(|word| word.starts_with('/'))?;
    Some(path.trim_end_matches([':', ',', ';']))
}

#[cfg(test)]
mod tests {
    use framepack_jobs::Code;

    use super::*;

    const PAUSES: Pauses = Pauses {
        first: Duration::from_secs(1),
        longest: Duration::from_mins(1),
    };

    fn pause(fault: &LastingFault) -> u64 {
        fault
            .due()
            .duration_since(Instant::now())
            .as_secs_f64()
            .round() as u64
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let failure = Failure::new(Code::WORKER_PROGRAM, "gone");
        let mut fault = LastingFault::first_met(failure.clone(), PAUSES);
        let mut pauses = vec![pause(&fault)];
        for _ in 0..7 {
            assert_eq!(fault.met(failure.clone()), News::Known);
            pauses.push(pause(&fault));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(!fault.is_due());
        assert!(fault.told(false).next_try.is_some());
        assert_eq!(fault.told(true).next_try, None);
        fault.try_now();
        assert!(fault.is_due());
        assert_eq!(fault.told(false).next_try, None, "it is past");
    }

    #[test]
    fn another_fault_has_its_own_beginning_and_pauses() {
        let truncated =
            |found: u64| format!("/m/a.safetensors is truncated: expected 9, found {found}");
        for (code, message, news, same) in [
            (Code::WEIGHTS_TRUNCATED, truncated(7), News::Known, true),
            (
                Code::WEIGHTS_TRUNCATED,
                "/m/b.safetensors is truncated".to_owned(),
                News::Known,
                false,
            ),
            (
                Code::MODEL_POINTER,
                "/m/a.safetensors is a git-lfs pointer".to_owned(),
                News::New,
                false,
            ),
        ] {
            let first = Failure::new(Code::WEIGHTS_TRUNCATED, truncated(3));
            let mut fault = LastingFault::first_met(first.clone(), PAUSES);
            for _ in 0..5 {
                fault.met(first.clone());
            }
            let long_ago: Timestamp = "2026-01-01T00:00:00.000000Z".parse().unwrap();
            fault.since = long_ago;
            assert_eq!(fault.met(Failure::new(code, message.clone())), news);
            assert_eq!(fault.told(false).message, message);
            let kept = fault.since == long_ago;
            assert_eq!((kept, pause(&fault)), (same, if same { 60 } else { 1 }));
        }
    }
}
