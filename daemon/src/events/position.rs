//! Where an event is: the number of the change that it belongs to, or that came before it, and its place behind that.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A place in the log; later events have higher ones.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize,
)]
pub(crate) struct Position {
    /// The journal's number of the change.
    pub(super) seq: u64,
    /// Counts from 0 what was noted with it and behind it.
    pub(super) nth: u32,
}

/// A position in one log: `9f3c2a1b40d1e6f7-17-0`. Readers take it for a word without meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The log's random name: another state directory has another one.
    pub(super) log: String,
    pub(super) position: Position,
}

/// A text that no log has as a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoCursor;

impl Position {
    /// The place behind this one of what is no change.
    pub(super) fn next(self) -> Self {
        Self {
            nth: self.nth + 1,
            ..self
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { seq, nth } = self.position;
        write!(f, "{}-{seq}-{nth}", self.log)
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(NoCursor);
        let (log, seq, nth) = (part()?, part()?, part()?);
        let position = Position {
            seq: seq.parse().map_err(|_| NoCursor)?,
            nth: nth.parse().map_err(|_| NoCursor)?,
        };
        let log = log.to_owned();
        match parts.next() {
            None => Ok(Self { log, position }),
            Some(_) => Err(NoCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_round_trip() {
        let cursor = Cursor {
            log: "9f3c2a1b40d1e6f7".to_owned(),
            position: Position { seq: 17, nth: 2 },
        };
        assert_eq!(cursor.to_string(), "9f3c2a1b40d1e6f7-17-2");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "17", "a-1", "a-1-x", "a-1-2-3", "a--1-2"] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }

    #[test]
    fn what_is_no_change_comes_behind_the_last_one_and_before_the_next() {
        let change = Position { seq: 17, nth: 0 };
        assert!(change < change.next());
        assert!(change.next() < Position { seq: 18, nth: 0 });
    }
}
