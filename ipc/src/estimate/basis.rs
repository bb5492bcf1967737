//! How an estimate is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an estimate is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// From a time that is set, as a window's.
    Clock,
    /// From the run itself: the steps that it has made.
    Progress,
    /// From jobs just like this one.
    Measured {
        /// How many.
        jobs: u32,
    },
    /// Scaled from jobs of other sizes, steps, lengths, caches or devices.
    Similar {
        /// How many.
        jobs: u32,
    },
    /// In a way of a later version.
    #[serde(other)]
    Unknown,
}

impl Basis {
    /// The one of two that is less sure.
    #[must_use]
    pub(super) fn weaker(self, other: Self) -> Self {
        let rank = |basis| match basis {
            Self::Clock => 0,
            Self::Progress => 1,
            Self::Measured { .. } => 2,
            Self::Similar { .. } => 3,
            Self::Unknown => 4,
        };
        match (self, other) {
            (Self::Measured { jobs }, Self::Measured { jobs: others }) => Self::Measured {
                jobs: jobs.min(others),
            },
            (Self::Similar { jobs }, Self::Similar { jobs: others }) => Self::Similar {
                jobs: jobs.min(others),
            },
            _ if rank(self) >= rank(other) => self,
            _ => other,
        }
    }
}

/// For people: `3 jobs like this one`, `scaled from 2 jobs`.
impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |jobs: u32| if jobs == 1 { "" } else { "s" };
        match *self {
            Self::Clock => f.write_str("by the clock"),
            Self::Progress => f.write_str("by its progress"),
            Self::Measured { jobs } => write!(f, "{jobs} job{} like this one", plural(jobs)),
            Self::Similar { jobs } => write!(f, "scaled from {jobs} job{}", plural(jobs)),
            Self::Unknown => f.write_str("unknown basis"),
        }
    }
}
