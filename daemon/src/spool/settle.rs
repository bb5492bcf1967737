//! When a file in the jobs folder is finished being written.
//!
//! `CLOSE_WRITE` does not say so: a script that appends twice closes twice, and half a job may be valid YAML.
//! A file that arrived by rename is whole. Any other must be left unchanged for a while, look complete and be
//! open for writing nowhere; one that never does is taken after a grace period, so that its error can be reported.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    time::{Duration, Instant},
};

use framepack_yaml as yaml;

use super::file_state::FileState;
use crate::file::Fingerprint;

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SettleRules {
    /// A complete file must be seen unchanged over this long.
    pub(super) settle: Duration,
    /// A file that is not complete is taken as it is when it was left unchanged over this long.
    pub(super) grace: Duration,
}

/// Whether the content of a file looks whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Completeness {
    /// Valid and ended.
    Complete,
    /// Empty, cut off or invalid: perhaps still being written. In which way.
    Partial(String),
}

impl Completeness {
    /// What the text of a job file looks like. Its end is a newline, a line `...`, or a comment `# end`.
    pub(super) fn of(text: &str) -> Self {
        let last = text.lines().next_back().unwrap_or_default().trim_end();
        if let Err(problem) = yaml::parse(text) {
            return Self::Partial(format!("it is not valid YAML: {problem}"));
        }
        if text.ends_with('\n') || last == "..." || last.ends_with("# end") {
            return Self::Complete;
        }
        Self::Partial("it does not end in a newline".to_owned())
    }
}

/// What is asked about a file when its times alone do not decide.
pub(super) trait Candidate {
    /// What its content looks like; asked once for each state of the file.
    fn completeness(&self) -> Completeness;
    /// Whether somebody has it open for writing.
    fn is_open(&self) -> bool;
}

/// Whether a file can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    Settled,
    /// Not yet, and why.
    Waiting(String),
}

/// The candidates that were seen and not yet taken.
#[derive(Debug)]
pub(super) struct Settling {
    rules: SettleRules,
    seen: HashMap<OsString, TrackedFile>,
}

#[derive(Debug)]
struct TrackedFile {
    fingerprint: Fingerprint,
    since: Instant,
    completeness: Option<Completeness>,
    /// Whether it was found to be finished in this state.
    is_settled: bool,
}

impl Settling {
    pub(super) fn new(rules: SettleRules) -> Self {
        Self {
            rules,
            seen: HashMap::new(),
        }
    }

    /// Whether the file was found to be finished, and has not changed since: then it is not opened again, however
    /// often it is listed.
    pub(super) fn has_settled(&self, state: &FileState<'_>) -> bool {
        let seen = self.seen.get(state.name);
        seen.is_some_and(|seen| seen.is_settled && seen.fingerprint == state.fingerprint)
    }

    /// Notes that the file is finished.
    pub(super) fn settle(&mut self, state: &FileState<'_>, now: Instant) {
        let seen = TrackedFile {
            fingerprint: state.fingerprint,
            since: now,
            completeness: None,
            is_settled: true,
        };
        self.seen.insert(state.name.to_owned(), seen);
    }

    /// Whether the file can be taken.
    pub(super) fn readiness(
        &mut self,
        state: &FileState<'_>,
        now: Instant,
        file: &impl Candidate,
    ) -> Readiness {
        let SettleRules { settle, grace } = self.rules;
        let first = || TrackedFile {
            fingerprint: state.fingerprint,
            since: now,
            completeness: None,
            is_settled: false,
        };
        let seen = self.seen.entry(state.name.to_owned()).or_insert_with(first);
        if seen.fingerprint != state.fingerprint {
            *seen = first();
        }
        let watched = now - seen.since;
        if watched.max(state.age) >= grace {
            return Readiness::Settled;
        }
        if watched < settle && state.age < 2 * settle {
            return Readiness::Waiting("it changed just now".to_owned());
        }
        let wait = format!(
            "it will be taken as it is after {} s without changes",
            grace.as_secs_f64()
        );
        if let Completeness::Partial(how) =
            seen.completeness.get_or_insert_with(|| file.completeness())
        {
            return Readiness::Waiting(format!("{how}; {wait}"));
        }
        if file.is_open() {
            return Readiness::Waiting(format!("it is open for writing; {wait}"));
        }
        Readiness::Settled
    }

    /// Forgets every other file.
    pub(super) fn keep_only(&mut self, is_there: impl Fn(&OsStr) -> bool) {
        self.seen.retain(|name, _| is_there(name));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const RULES: SettleRules = SettleRules {
        settle: Duration::from_secs(1),
        grace: Duration::from_mins(1),
    };

    /// A file with this text.
    struct Draft {
        text: &'static str,
        is_open: bool,
        asked: Cell<u32>,
    }

    impl Candidate for Draft {
        fn completeness(&self) -> Completeness {
            self.asked.set(self.asked.get() + 1);
            Completeness::of(self.text)
        }

        fn is_open(&self) -> bool {
            self.is_open
        }
    }

    fn draft(text: &'static str) -> Draft {
        Draft {
            text,
            is_open: false,
            asked: Cell::new(0),
        }
    }

    /// A folder with one file, and a clock.
    struct Bench {
        settling: Settling,
        start: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                settling: Settling::new(RULES),
                start: Instant::now(),
            }
        }

        /// Looks after so many seconds at a file of this size, written so many seconds ago.
        fn is_settled(&mut self, at_secs: f64, (size, age_secs): (u64, f64), file: &Draft) -> bool {
            let state = FileState {
                name: OsStr::new("a.yaml"),
                fingerprint: Fingerprint {
                    inode: (1, 2),
                    size_bytes: size,
                    mtime: (0, 0),
                    ctime: (0, 0),
                },
                age: Duration::from_secs_f64(age_secs),
            };
            let now = self.start + Duration::from_secs_f64(at_secs);
            self.settling.readiness(&state, now, file) == Readiness::Settled
        }
    }

    #[test]
    fn rule_03_a_complete_file_is_taken_when_unchanged_for_the_settle_time() {
        let (mut bench, file) = (Bench::new(), draft("a: 1\n"));
        assert!(!bench.is_settled(0.0, (5, 0.0), &file));
        assert!(!bench.is_settled(0.9, (9, 0.0), &file), "changed");
        assert!(!bench.is_settled(1.8, (9, 0.9), &file));
        assert!(bench.is_settled(1.9, (9, 1.0), &file));
    }

    #[test]
    fn rule_03_an_old_complete_file_is_taken_at_first_sight() {
        assert!(Bench::new().is_settled(0.0, (5, 2.0), &draft("a: 1\n")));
        assert!(!Bench::new().is_settled(0.0, (5, 2.0), &draft("a: 1")));
    }

    #[test]
    fn rule_03_what_looks_unfinished_is_taken_only_after_the_grace_period() {
        for text in ["", "a: 1", "a: [\n"] {
            let (mut bench, file) = (Bench::new(), draft(text));
            assert!(!bench.is_settled(0.0, (5, 0.0), &file));
            assert!(!bench.is_settled(59.0, (5, 59.0), &file));
            assert!(bench.is_settled(60.0, (5, 60.0), &file), "{text:?}");
            assert_eq!(file.asked.get(), 1, "it is read once for each state");
        }
    }

    #[test]
    fn rule_03_the_end_of_a_file_is_a_newline_dots_or_a_comment() {
        for text in ["a: 1\n", "a: 1\n...", "a: 1\n# end"] {
            assert_eq!(Completeness::of(text), Completeness::Complete, "{text:?}");
        }
        for text in ["", "a: 1", "a: 'end", "a: \"...\n"] {
            assert_ne!(Completeness::of(text), Completeness::Complete, "{text:?}");
        }
    }

    #[test]
    fn rule_03_a_later_change_restarts_the_waiting() {
        let (mut bench, empty) = (Bench::new(), draft(""));
        assert!(!bench.is_settled(0.0, (0, 0.0), &empty));
        assert!(!bench.is_settled(59.0, (0, 59.0), &empty));
        let written = draft("a: 1\n");
        assert!(!bench.is_settled(60.0, (5, 0.0), &written));
        assert!(bench.is_settled(61.0, (5, 1.0), &written));
    }

    #[test]
    fn rule_04_a_file_that_is_open_for_writing_waits_for_the_grace_period() {
        let mut bench = Bench::new();
        let mut file = draft("a: 1\n");
        file.is_open = true;
        assert!(!bench.is_settled(0.0, (5, 0.0), &file));
        assert!(!bench.is_settled(30.0, (5, 30.0), &file));
        file.is_open = false;
        assert!(bench.is_settled(31.0, (5, 31.0), &file), "closed");
        file.is_open = true;
        assert!(bench.is_settled(60.0, (5, 60.0), &file), "never closed");
    }

    #[test]
    fn a_file_that_left_and_came_back_starts_over() {
        let (mut bench, file) = (Bench::new(), draft("a: 1\n"));
        bench.is_settled(0.0, (5, 0.0), &file);
        bench.settling.keep_only(|_| false);
        assert!(!bench.is_settled(5.0, (5, 0.0), &file));
    }

    #[test]
    fn rule_01_what_has_settled_is_not_opened_again_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        std::fs::write(&path, "a: 1\n").unwrap();
        let mut settling = Settling::new(RULES);
        let state = || {
            let metadata = path.metadata().unwrap();
            FileState::new(
                OsStr::new("a.yaml"),
                &metadata,
                std::time::SystemTime::now(),
            )
        };
        assert!(!settling.has_settled(&state()));
        settling.settle(&state(), Instant::now());
        assert!(settling.has_settled(&state()));
        std::fs::write(&path, "a: 1\nb: 2\n").unwrap();
        assert!(!settling.has_settled(&state()));
    }
}
