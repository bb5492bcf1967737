//! When a file in the jobs folder is finished being written.
//!
//! `CLOSE_WRITE` does not say so: a script that appends twice closes twice, and half a job may be valid YAML.
//! A file that arrived by rename is whole. Any other must be left unchanged for a while, look complete and be
//! open for writing nowhere; one that never does is taken after a grace period, so that its error can be reported.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    time::{Duration, Instant, SystemTime},
};

use crate::{file::FileState, folder::dropped::Wait};

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SettleRules {
    /// A complete file must be seen unchanged over this long.
    pub(crate) settle: Duration,
    /// A file that is not complete is taken as it is when it was left unchanged over this long.
    pub(crate) grace: Duration,
}

/// A moment, by two clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    /// By the clock that the files' times come from.
    pub(crate) clock: SystemTime,
}

/// What is asked about a file when its times alone do not decide.
pub(crate) trait Candidate {
    /// Why its content looks as if it were still being written, if it does; asked once for each state of the file.
    fn unfinished(&self) -> Option<String>;
    /// Whether somebody has it open for writing.
    fn is_open(&self) -> bool;
}

/// The candidates that were seen and not yet taken.
#[derive(Debug)]
pub(crate) struct Settling {
    rules: SettleRules,
    seen: HashMap<OsString, TrackedFile>,
}

#[derive(Debug)]
struct TrackedFile {
    state: FileState,
    since: Instant,
    content: Content,
    /// Whether it was found to be finished in this state.
    is_settled: bool,
}

/// What the content of a file looks like.
#[derive(Debug)]
enum Content {
    Unread,
    Whole,
    /// Perhaps still being written. In which way.
    Unfinished(String),
}

impl TrackedFile {
    fn new(state: FileState, since: Instant) -> Self {
        Self {
            state,
            since,
            content: Content::Unread,
            is_settled: false,
        }
    }
}

impl Settling {
    pub(crate) fn new(rules: SettleRules) -> Self {
        Self {
            rules,
            seen: HashMap::new(),
        }
    }

    /// Whether the file was found to be finished, and has not changed since: then it is not opened again, however
    /// often it is listed.
    pub(crate) fn has_settled(&self, name: &OsStr, state: FileState) -> bool {
        let seen = self.seen.get(name);
        seen.is_some_and(|seen| seen.is_settled && seen.state == state)
    }

    /// Notes that the file is finished.
    pub(crate) fn settle(&mut self, name: &OsStr, state: FileState, now: Instant) {
        let seen = TrackedFile {
            is_settled: true,
            ..TrackedFile::new(state, now)
        };
        self.seen.insert(name.to_owned(), seen);
    }

    /// Whether the file can be taken.
    pub(crate) fn look(
        &mut self,
        name: &OsStr,
        state: FileState,
        Moment { now, clock }: Moment,
        file: &impl Candidate,
    ) -> Result<(), Wait> {
        let SettleRules { settle, grace } = self.rules;
        let age = state.age(clock);
        let first = || TrackedFile::new(state, now);
        let seen = self.seen.entry(name.to_owned()).or_insert_with(first);
        if seen.state != state {
            *seen = first();
        }
        let watched = now - seen.since;
        let wait = |why| {
            let until = now + settle;
            Err(Wait { why, until })
        };
        if watched.max(age) >= grace {
            return Ok(());
        }
        if watched < settle && age < 2 * settle {
            return wait("it changed just now".to_owned());
        }
        let deadline = format!(
            "it will be taken as it is after {} s without changes",
            grace.as_secs_f64()
        );
        if let Content::Unread = seen.content {
            seen.content = file
                .unfinished()
                .map_or(Content::Whole, Content::Unfinished);
        }
        if let Content::Unfinished(how) = &seen.content {
            return wait(format!("{how}; {deadline}"));
        }
        if file.is_open() {
            return wait(format!("it is open for writing; {deadline}"));
        }
        Ok(())
    }

    /// Forgets every other file.
    pub(crate) fn keep_only(&mut self, is_there: impl Fn(&OsStr) -> bool) {
        self.seen.retain(|name, _| is_there(name));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::folder::dropped::unfinished;

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
        fn unfinished(&self) -> Option<String> {
            self.asked.set(self.asked.get() + 1);
            unfinished(self.text)
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
                inode: (1, 2),
                size_bytes: size,
                mtime: (0, 0),
                ctime: (0, 0),
            };
            let moment = Moment {
                now: self.start + Duration::from_secs_f64(at_secs),
                clock: SystemTime::UNIX_EPOCH + Duration::from_secs_f64(age_secs),
            };
            let name = OsStr::new("a.yaml");
            self.settling.look(name, state, moment, file).is_ok()
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
        let name = OsStr::new("a.yaml");
        let state = || FileState::from(&path.metadata().unwrap());
        assert!(!settling.has_settled(name, state()));
        settling.settle(name, state(), Instant::now());
        assert!(settling.has_settled(name, state()));
        std::fs::write(&path, "a: 1\nb: 2\n").unwrap();
        assert!(!settling.has_settled(name, state()));
    }
}
