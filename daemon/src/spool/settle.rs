//! When a file in the jobs folder is finished being written.
//!
//! `CLOSE_WRITE` does not say so: a script that appends twice closes twice, and half a job may be valid YAML.
//! A file that arrived by rename is whole. Any other must be left unchanged for a while and look complete;
//! one that never does is taken after a grace period, so that its error can be reported.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    fs::Metadata,
    os::unix::fs::MetadataExt,
    time::{Duration, Instant, SystemTime},
};

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct SettleRules {
    /// A complete file must be seen unchanged over this long.
    pub settle: Duration,
    /// A file that is not complete is taken as it is when it was left unchanged over this long.
    pub grace: Duration,
}

impl Default for SettleRules {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(1),
            grace: Duration::from_mins(1),
        }
    }
}

/// What tells two states of a file apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    inode: (u64, u64),
    size_bytes: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl From<&Metadata> for Fingerprint {
    fn from(metadata: &Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size_bytes: metadata.len(),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            ctime: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Whether the content of a file looks whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Valid and ended by a newline.
    Complete,
    /// Empty, cut off or invalid: perhaps still being written.
    Partial,
}

/// One look at a candidate.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) name: &'a OsStr,
    pub(crate) fingerprint: Fingerprint,
    /// How long ago the file was last written, by its own times.
    pub(crate) age: Duration,
}

impl<'a> Look<'a> {
    pub(crate) fn new(name: &'a OsStr, metadata: &Metadata, now: SystemTime) -> Self {
        // A time in the future (a share whose clock is ahead) counts as "just now".
        let age = metadata
            .modified()
            .ok()
            .and_then(|mtime| now.duration_since(mtime).ok());
        Self {
            name,
            fingerprint: metadata.into(),
            age: age.unwrap_or_default(),
        }
    }
}

/// The candidates that were seen and not yet taken.
#[derive(Debug)]
pub(crate) struct Settling {
    rules: SettleRules,
    seen: HashMap<OsString, Seen>,
}

#[derive(Debug)]
struct Seen {
    fingerprint: Fingerprint,
    since: Instant,
}

impl Settling {
    pub(crate) fn new(rules: SettleRules) -> Self {
        Self {
            rules,
            seen: HashMap::new(),
        }
    }

    /// Whether the file can be taken. `content` is asked only when the answer depends on it.
    pub(crate) fn is_settled(
        &mut self,
        look: &Look<'_>,
        now: Instant,
        content: impl FnOnce() -> Content,
    ) -> bool {
        let seen = self.seen.entry(look.name.to_owned()).or_insert(Seen {
            fingerprint: look.fingerprint,
            since: now,
        });
        if seen.fingerprint != look.fingerprint {
            *seen = Seen {
                fingerprint: look.fingerprint,
                since: now,
            };
        }
        let watched = now - seen.since;
        if watched.max(look.age) >= self.rules.grace {
            return true;
        }
        let unchanged = watched >= self.rules.settle || look.age >= 2 * self.rules.settle;
        unchanged && content() == Content::Complete
    }

    /// Forgets every file that is no longer in the folder.
    pub(crate) fn keep_only(&mut self, present: &HashSet<OsString>) {
        self.seen.retain(|name, _| present.contains(name));
    }

    /// When to look again, if anything is settling.
    pub(crate) fn next_look(&self) -> Option<Duration> {
        (!self.seen.is_empty()).then_some(self.rules.settle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: SettleRules = SettleRules {
        settle: Duration::from_secs(1),
        grace: Duration::from_mins(1),
    };

    fn look(size_bytes: u64, age_secs: u64) -> Look<'static> {
        Look {
            name: OsStr::new("a.yaml"),
            fingerprint: Fingerprint {
                inode: (1, 2),
                size_bytes,
                mtime: (0, 0),
                ctime: (0, 0),
            },
            age: Duration::from_secs(age_secs),
        }
    }

    #[test]
    fn a_complete_file_is_taken_when_unchanged_for_the_settle_time() {
        let (mut settling, start) = (Settling::new(RULES), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!settling.is_settled(&look(5, 0), at(0), || Content::Complete));
        assert!(
            !settling.is_settled(&look(9, 0), at(900), || Content::Complete),
            "changed"
        );
        assert!(!settling.is_settled(&look(9, 0), at(1800), || Content::Complete));
        assert!(settling.is_settled(&look(9, 0), at(1900), || Content::Complete));
    }

    #[test]
    fn an_old_complete_file_is_taken_at_first_sight() {
        let now = Instant::now();
        assert!(Settling::new(RULES).is_settled(&look(5, 2), now, || Content::Complete));
        assert!(!Settling::new(RULES).is_settled(&look(5, 2), now, || Content::Partial));
    }

    #[test]
    fn a_partial_file_is_taken_only_after_the_grace_period() {
        let (mut settling, start) = (Settling::new(RULES), Instant::now());
        let at = |secs| start + Duration::from_secs(secs);
        assert!(!settling.is_settled(&look(5, 0), at(0), || Content::Partial));
        assert!(!settling.is_settled(&look(5, 30), at(59), || Content::Partial));
        assert!(settling.is_settled(&look(5, 60), at(60), || Content::Partial));
    }

    #[test]
    fn a_file_that_left_and_came_back_starts_anew() {
        let (mut settling, start) = (Settling::new(RULES), Instant::now());
        settling.is_settled(&look(5, 0), start, || Content::Complete);
        settling.keep_only(&HashSet::new());
        assert_eq!(settling.next_look(), None);
        assert!(
            !settling.is_settled(&look(5, 0), start + Duration::from_secs(5), || {
                Content::Complete
            })
        );
        assert_eq!(settling.next_look(), Some(RULES.settle));
    }
}
