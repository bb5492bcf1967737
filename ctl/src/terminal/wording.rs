//! How times, durations and sizes are written: as the records have them, or as people say them.

use framepack_ipc::text::span;
use framepack_jobs::Timestamp;

use super::{size, time};

/// Who is written for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wording {
    /// Programs: `2026-11-23T05:16:08.000001Z`, `250.0 s`, `4096 bytes`.
    Exact,
    /// People, now: `2026-11-23 06:16:08 (3 min ago)`, `4 min 10 s`, `4.0 KiB`.
    Human { now: Timestamp },
}

impl Wording {
    pub(crate) fn time(self, time: Timestamp) -> String {
        match self {
            Self::Exact => time.to_string(),
            Self::Human { now } => time::full(time, now),
        }
    }

    /// The time of what is to happen then.
    pub(crate) fn next(self, time: Timestamp) -> String {
        match self {
            Self::Exact => time.to_string(),
            Self::Human { now } => time::full_next(time, now),
        }
    }

    /// A sentence of the daemon's, which writes times as the records have them.
    pub(crate) fn sentence(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::Human { now } => time::with_moments(text, |then| time::moment(then, now)),
        }
    }

    /// Whether people are told, and it is past that time.
    pub(crate) fn is_due(self, time: Timestamp) -> bool {
        matches!(self, Self::Human { now } if time <= now)
    }

    pub(crate) fn span(self, secs: f64) -> String {
        match self {
            Self::Exact => format!("{secs:.1} s"),
            Self::Human { .. } => span(secs),
        }
    }

    pub(crate) fn bytes(self, bytes: u64) -> String {
        match self {
            Self::Exact => format!("{bytes} bytes"),
            Self::Human { .. } => size::bytes(bytes),
        }
    }
}
