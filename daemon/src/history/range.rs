//! A time, or a factor of one, and how sure it is.

use std::{iter::Sum, ops::Add};

use framepack_ipc::estimate::{Basis, Estimate};

/// How far a single measurement may be off, and what of that many of them leave.
const ONE: f64 = 0.2;
const MANY: f64 = 0.05;
/// Of measurements that are spread as chance spreads them, nearly all are within so many median deviations.
const DEVIATIONS: f64 = 3.7;
/// No estimate is better than this: workers and disks take their moment, too.
const MARGIN_SECS: f64 = 0.5;

/// A likely value, one that it is hardly below, and one that it is hardly above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) mid: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Range {
    pub(super) const NOTHING: Self = Self::exactly(0.0);

    pub(crate) const fn exactly(value: f64) -> Self {
        Self {
            mid: value,
            low: value,
            high: value,
        }
    }

    /// A factor of about 1.
    pub(super) const fn factor(low: f64, high: f64) -> Self {
        Self {
            mid: 1.0,
            low,
            high,
        }
    }

    /// What measured values say of the next one. Less than half of them may be off as far as they like.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let mid = median(&values)?;
        let deviations: Vec<f64> = values.iter().map(|value| (value - mid).abs()).collect();
        let deviation = median(&deviations)?;
        let chance = MANY + ONE / values.len() as f64;
        let spread = if mid > 0.0 {
            chance.max(DEVIATIONS * deviation / mid)
        } else {
            chance
        };
        Some(Self {
            mid,
            low: mid / (1.0 + spread),
            high: mid * (1.0 + spread),
        })
    }

    #[must_use]
    pub(crate) fn times(self, factor: Self) -> Self {
        Self {
            mid: self.mid * factor.mid,
            low: self.low * factor.low,
            high: self.high * factor.high,
        }
    }

    /// What is left of it after so many seconds.
    #[must_use]
    pub(crate) fn after(self, secs: f64) -> Self {
        let left = |value: f64| (value - secs).max(0.0);
        Self {
            mid: left(self.mid),
            low: left(self.low),
            // One that takes longer than it ever did may go on as long again.
            high: left(self.high).max(secs - self.high),
        }
    }

    /// The time for others to know.
    pub(crate) fn estimate(self, basis: Basis) -> Estimate {
        Estimate {
            secs: self.mid,
            low_secs: (self.low - MARGIN_SECS).max(0.0),
            high_secs: self.high + MARGIN_SECS,
            basis,
        }
    }
}

impl Add for Range {
    type Output = Self;

    /// Parts of one job are slow together.
    fn add(self, other: Self) -> Self {
        Self {
            mid: self.mid + other.mid,
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }
}

impl Sum for Range {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::NOTHING, Add::add)
    }
}

/// The value that half of the others are not above.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}
