//! How long a job takes, when it will begin and when it will end: as the daemon estimates it, with how sure that is.
//!
//! Times of what lies ahead are known from this farm's own jobs or not at all: what was never rendered here has no
//! estimate, and says so.

mod basis;
mod span;

use std::{fmt, ops::Add, time::Duration};

use framepack_jobs::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::basis::Basis;
use self::span::{range, rough};

/// Up to this share of itself an estimate's range is told as one time.
const NARROW: f64 = 0.2;

/// How long something takes, in seconds from now or from its begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The likely time.
    pub secs: f64,
    /// It is hardly less.
    pub low_secs: f64,
    /// It is hardly more.
    pub high_secs: f64,
    /// How it is known; in JSON, `basis` and its `jobs` stand beside `secs`.
    #[serde(flatten)]
    pub basis: Basis,
}

/// How long a job takes, or why nobody knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Prediction {
    /// It was seen before, or something like it.
    Known(Estimate),
    /// It was not.
    Unknown {
        /// Why, in words; empty where a later version says it in another way.
        #[serde(default)]
        unknown: String,
    },
}

/// When something will happen, or why nobody knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// It will probably be then.
    Known(Expected),
    /// It depends on what can't be foreseen.
    Unknown {
        /// On what, in words; empty where a later version says it in another way.
        #[serde(default)]
        unknown: String,
    },
}

/// When something will probably happen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The likely time.
    pub at: Timestamp,
    /// The same in seconds from when it was asked for, with its range.
    #[serde(flatten)]
    pub estimate: Estimate,
}

impl Estimate {
    /// What is known to the second.
    pub fn exactly(secs: f64) -> Self {
        Self {
            secs,
            low_secs: secs,
            high_secs: secs,
            basis: Basis::Clock,
        }
    }

    /// The later one of two, as sure as the less sure of them.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        if self.high_secs <= other.low_secs {
            return other;
        }
        if other.high_secs <= self.low_secs {
            return self;
        }
        Self {
            secs: self.secs.max(other.secs),
            low_secs: self.low_secs.max(other.low_secs),
            high_secs: self.high_secs.max(other.high_secs),
            basis: self.basis.weaker(other.basis),
        }
    }

    /// The estimate as one time or as a range: `4 min 10 s`, `3 to 6 min`.
    pub fn span(&self) -> String {
        if self.high_secs - self.low_secs <= NARROW * self.secs {
            return rough(self.secs);
        }
        range(self.low_secs, self.high_secs).unwrap_or_else(|| rough(self.secs))
    }
}

/// One after the other, as sure as the less sure of them.
impl Add for Estimate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            secs: self.secs + other.secs,
            // Jobs of one farm are slow together, so that their deviations do not cancel out.
            low_secs: self.low_secs + other.low_secs,
            high_secs: self.high_secs + other.high_secs,
            basis: self.basis.weaker(other.basis),
        }
    }
}

/// For people: `about 4 min 10 s (3 jobs like this one)`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.span();
        let about = if span.contains(" to ") { "" } else { "about " };
        write!(f, "{about}{span}")?;
        match self.basis {
            Basis::Unknown => Ok(()),
            basis => write!(f, " ({basis})"),
        }
    }
}

impl Prediction {
    /// Nobody knows, for this reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown {
            unknown: why.into(),
        }
    }

    /// The estimate, if there is one.
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Known(estimate) => Some(estimate),
            Self::Unknown { .. } => None,
        }
    }
}

/// For people: the estimate, or `unknown: no job of this model has run here yet`.
impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(estimate) => estimate.fmt(f),
            Self::Unknown { unknown } => write_unknown(unknown, f),
        }
    }
}

impl Moment {
    /// So long after `now`.
    pub fn after(now: Timestamp, estimate: Estimate) -> Self {
        let micros = (estimate.secs * 1e6).round() as u64;
        Self::Known(Expected {
            at: now.plus(Duration::from_micros(micros)),
            estimate,
        })
    }

    /// Nobody knows, for this reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown {
            unknown: why.into(),
        }
    }

    /// The time with its range, if it can be foreseen.
    pub fn expected(&self) -> Option<&Expected> {
        match self {
            Self::Known(expected) => Some(expected),
            Self::Unknown { .. } => None,
        }
    }
}

/// For people: `in about 4 min 10 s (3 jobs like this one)`, or `unknown: held by a user`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(expected) if expected.estimate.high_secs < 1.0 => f.write_str("now"),
            Self::Known(expected) => write!(f, "in {}", expected.estimate),
            Self::Unknown { unknown } => write_unknown(unknown, f),
        }
    }
}

fn write_unknown(why: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if why.is_empty() {
        f.write_str("unknown")
    } else {
        write!(f, "unknown: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate([secs, low_secs, high_secs]: [f64; 3], basis: Basis) -> Estimate {
        Estimate {
            secs,
            low_secs,
            high_secs,
            basis,
        }
    }

    #[test]
    fn estimates_in_words() {
        for (range, basis, words) in [
            (
                [250.0, 240.0, 262.0],
                Basis::Measured { jobs: 3 },
                "about 4 min 10 s (3 jobs like this one)",
            ),
            (
                [250.0, 180.0, 370.0],
                Basis::Similar { jobs: 2 },
                "3 to 6 min (scaled from 2 jobs)",
            ),
            (
                [300.0, 299.0, 301.0],
                Basis::Similar { jobs: 1 },
                "about 5 min (scaled from 1 job)",
            ),
            (
                [40.0, 38.0, 42.0],
                Basis::Progress,
                "about 40 s (by its progress)",
            ),
            ([40.0, 38.0, 42.0], Basis::Unknown, "about 40 s"),
        ] {
            assert_eq!(estimate(range, basis).to_string(), words);
        }
        let why = Prediction::unknown("no job of this model has run here yet");
        assert_eq!(
            why.to_string(),
            "unknown: no job of this model has run here yet"
        );
    }

    #[test]
    fn estimates_of_this_and_later_versions_are_read() {
        let known = estimate([250.0, 240.0, 260.0], Basis::Measured { jobs: 3 });
        let json =
            r#"{"secs":250.0,"low_secs":240.0,"high_secs":260.0,"basis":"measured","jobs":3}"#;
        assert_eq!(serde_json::to_string(&known).unwrap(), json);
        assert_eq!(serde_json::from_str::<Estimate>(json).unwrap(), known);
        let later = r#"{"secs":1.0,"low_secs":1.0,"high_secs":1.0,"basis":"guessed","by":"whom"}"#;
        let later: Estimate = serde_json::from_str(later).unwrap();
        assert_eq!(later.basis, Basis::Unknown);
        let moment = Moment::after("2026-11-28T12:00:00.000000Z".parse().unwrap(), known);
        let json = serde_json::to_value(&moment).unwrap();
        assert_eq!(json["at"], "2026-11-28T12:04:10.000000Z");
        assert_eq!(json["jobs"], 3);
        assert_eq!(serde_json::from_value::<Moment>(json).unwrap(), moment);
        let held = Moment::unknown("held by a user");
        let json = r#"{"unknown":"held by a user"}"#;
        assert_eq!(serde_json::to_string(&held).unwrap(), json);
        assert_eq!(serde_json::from_str::<Moment>(json).unwrap(), held);
    }

    #[test]
    fn a_sum_is_as_sure_as_the_less_sure_part() {
        let sum = estimate([10.0, 8.0, 12.0], Basis::Measured { jobs: 3 })
            + estimate([20.0, 10.0, 40.0], Basis::Similar { jobs: 1 })
            + Estimate::exactly(0.0);
        let expected = estimate([30.0, 18.0, 52.0], Basis::Similar { jobs: 1 });
        assert_eq!(sum, expected);
    }
}
