//! The system's clock, and whether it can be believed.
//!
//! A machine may boot in 1970, in the year of its board, or years ahead, until its time comes from the network. What can't
//! be taken back (a deadline that passes, files that are removed for their age) therefore goes by [`Clock::sure`]: the
//! system's time while that agrees with what the daemon has last known, and the earlier of the two while it does not. The
//! disagreement ends when the clock is set right, when the system says that it is synchronised, or when a user
//! acknowledges it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use framepack_ipc::control::Note;
use framepack_jobs::{Code, Timestamp};
use tokio::{process::Command, sync::Notify, task::spawn_blocking, time::timeout};
use tracing::{info, warn};

use crate::file::replace;

/// A clock that is set back by less is one that is corrected.
const BACK: Duration = Duration::from_hours(1);
/// A machine may have been switched off for so long.
const AHEAD: Duration = Duration::from_hours(90 * 24);
/// Before this daemon was written: no clock that is right says so.
const EARLIEST: &str = "2025-01-01T00:00:00.000000Z";
/// How often the time is written down for the next daemon.
const KEPT_EVERY: Duration = Duration::from_hours(1);
/// How often the system is asked whether it is synchronised, while that matters.
const ASKED_EVERY: Duration = Duration::from_secs(10);
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// The clock; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    known: Arc<Mutex<Known>>,
    doubted: Arc<Notify>,
    /// Where the time is written down.
    file: PathBuf,
}

/// What was known of the time last.
#[derive(Debug)]
struct Known {
    time: Timestamp,
    /// When that was so, by a clock that nobody sets.
    at: Instant,
    /// Whether `time` is the time itself, or only an earlier one.
    is_exact: bool,
    is_doubted: bool,
}

/// How the system's clock disagrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Behind,
    Ahead,
}

impl Clock {
    /// Goes on from what an earlier daemon wrote down in `state_dir`, or else from the newest time in its records.
    pub(crate) fn open(state_dir: &Path, newest: Option<Timestamp>) -> Self {
        let file = state_dir.join("clock");
        let written = fs::read_to_string(&file).unwrap_or_default();
        let last = written.trim().parse().ok().or(newest);
        let (time, is_exact) = match last {
            Some(last) if is_known(last) => (last, true),
            // All that was done so far was done by a clock that was wrong.
            Some(_) | None => (earliest(), false),
        };
        let clock = Self {
            known: Arc::new(Mutex::new(Known {
                time,
                at: Instant::now(),
                is_exact,
                is_doubted: false,
            })),
            doubted: Arc::default(),
            file,
        };
        if clock.doubt().is_none() {
            clock.keep();
        }
        clock
    }

    /// The time by which something may be done that can't be taken back.
    pub(crate) fn sure(&self) -> Timestamp {
        let (now, doubt, expected) = self.look();
        doubt.map_or(now, |_| now.min(expected))
    }

    /// The day under which something is filed: never one long past.
    pub(crate) fn likely(&self) -> Timestamp {
        let (now, doubt, expected) = self.look();
        doubt.map_or(now, |_| expected)
    }

    /// That the clock is not believed, for users.
    pub(crate) fn note(&self) -> Option<Note> {
        let (now, doubt, expected) = self.look();
        let direction = match doubt? {
            Doubt::Behind => "behind",
            Doubt::Ahead => "ahead of",
        };
        let message = format!(
            "the system's clock says {now}, far {direction} {expected}, which the daemon knows of: until it is clear which is right no deadline passes and nothing is removed for its age"
        );
        Some(Note::new(Code::CLOCK_DOUBTED, message))
    }

    /// A user says that the clock is right.
    pub(crate) fn acknowledge(&self) {
        if self.doubt().is_some() {
            self.believe("a user acknowledged it");
        }
    }

    /// Writes the time down from time to time, and asks the system whether a clock is right that is not believed.
    pub(crate) async fn watch(self) {
        loop {
            let pause = if self.doubt().is_some() {
                if is_synchronised().await {
                    self.believe("the system says that it is synchronised");
                    continue;
                }
                ASKED_EVERY
            } else {
                let clock = self.clone();
                // Without an answer the runtime ends, and the last time that was kept is good enough.
                let _ = spawn_blocking(move || clock.keep()).await;
                KEPT_EVERY
            };
            // Fails when nothing was doubted meanwhile.
            let _ = timeout(pause, self.doubted.notified()).await;
        }
    }

    fn believe(&self, why: &str) {
        let now = Timestamp::now();
        let mut known = self.known();
        (known.time, known.at) = (now, Instant::now());
        (known.is_exact, known.is_doubted) = (true, false);
        drop(known);
        info!(%now, "the system's clock is believed: {why}");
        self.keep();
    }

    fn keep(&self) {
        let now = Timestamp::now().to_string();
        if let Err(error) = replace(&self.file, now.as_bytes()) {
            warn!(path = %self.file.display(), %error, "writing the time down");
        }
    }

    fn doubt(&self) -> Option<Doubt> {
        self.look().1
    }

    /// The system's time, how it disagrees, and the earliest time that it can be by what is known.
    fn look(&self) -> (Timestamp, Option<Doubt>, Timestamp) {
        let now = Timestamp::now();
        let mut known = self.known();
        let expected = known.time.plus(known.at.elapsed());
        let doubt = disagreement(now, expected).filter(|doubt| match doubt {
            Doubt::Behind => true,
            Doubt::Ahead => known.is_exact,
        });
        let was_doubted = std::mem::replace(&mut known.is_doubted, doubt.is_some());
        if doubt.is_none() {
            (known.time, known.at, known.is_exact) = (now, Instant::now(), true);
        }
        drop(known);
        match (was_doubted, doubt) {
            (false, Some(doubt)) => {
                let code = Code::CLOCK_DOUBTED;
                warn!(%code, ?doubt, %now, %expected, "the system's clock is not believed: nothing expires or is removed");
                self.doubted.notify_one();
            }
            (true, None) => info!(%now, "the system's clock is believed again"),
            _ => {}
        }
        (now, doubt, expected)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Plain data, which no panic leaves half written.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what ended then ended by a clock that was right.
pub(crate) fn is_known(time: Timestamp) -> bool {
    time > earliest()
}

fn earliest() -> Timestamp {
    EARLIEST.parse().expect("it is written as a timestamp")
}

fn disagreement(now: Timestamp, expected: Timestamp) -> Option<Doubt> {
    if now.plus(BACK) < expected {
        Some(Doubt::Behind)
    } else if now > expected.plus(AHEAD) {
        Some(Doubt::Ahead)
    } else {
        None
    }
}

/// Whether the system's clock follows another one, as far as systemd knows.
async fn is_synchronised() -> bool {
    let mut command = Command::new("timedatectl");
    command
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let answer = timeout(ANSWERED_WITHIN, command.output()).await;
    matches!(answer, Ok(Ok(output)) if output.stdout.trim_ascii() == b"yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        Timestamp::from_rfc3339(time).unwrap()
    }

    #[test]
    fn which_clocks_are_believed() {
        let known = at("2026-11-27T12:00:00Z");
        for (now, expected) in [
            ("1970-01-01T00:00:20Z", Some(Doubt::Behind)),
            ("2000-01-01T00:00:00Z", Some(Doubt::Behind)),
            ("2026-11-27T10:59:59Z", Some(Doubt::Behind)),
            ("2026-11-27T11:00:00Z", None),
            ("2026-11-27T12:00:01Z", None),
            // Switched off for two months.
            ("2027-01-27T12:00:00Z", None),
            ("2027-02-26T00:00:00Z", Some(Doubt::Ahead)),
            ("2038-01-19T03:14:08Z", Some(Doubt::Ahead)),
        ] {
            assert_eq!(disagreement(at(now), known), expected, "{now}");
        }
    }

    #[test]
    fn what_is_sure_is_never_later_than_either_clock() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let open = |newest: &str| Clock::open(dir.path(), Some(at(newest)));
        // By its records the daemon lived in 2090: it is the records that are wrong, or the clock.
        let behind = open("2090-01-01T00:00:00Z");
        assert_eq!(behind.note().unwrap().code, Code::CLOCK_DOUBTED);
        assert!(behind.sure() >= now && behind.sure() <= Timestamp::now());
        assert!(behind.likely() >= at("2090-01-01T00:00:00Z"));

        let ahead = open("2025-01-02T00:00:00Z");
        assert!(ahead.note().is_some());
        assert!(
            ahead.sure() < at("2025-01-02T01:00:00Z"),
            "{:?}",
            ahead.sure()
        );
        ahead.acknowledge();
        assert!(ahead.note().is_none() && ahead.sure() >= now);
        // The next daemon goes on from there, whatever its records say.
        assert!(open("2025-01-02T00:00:00Z").note().is_none());
    }

    #[test]
    fn a_farm_that_has_never_run_believes_every_clock_that_is_not_long_past() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::open(dir.path(), None);
        assert!(clock.note().is_none());
        // Nor do records of 1973 say anything against it.
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::open(dir.path(), Some(at("1973-01-01T00:00:00Z")));
        assert!(clock.note().is_none());
        assert!(
            dir.path().join("clock").exists(),
            "it is kept for the next start"
        );
        assert!(!is_known(at("1970-01-01T00:01:00Z")));
        assert!(is_known(Timestamp::now()));
    }
}
