//! Durations in words, no more exact than an estimate is.

use crate::text::span;

/// A duration in its two largest units, rounded to what an estimate can tell.
pub(super) fn rough(secs: f64) -> String {
    let unit = match secs {
        ..120.0 => return span(secs),
        ..600.0 => 10.0,
        _ => 60.0,
    };
    span((secs / unit).round() * unit)
}

/// From one duration to another, in the unit of the longer one: `3 to 6 min`; `None` where both are the same in it, or too
/// short for words.
pub(super) fn range(low_secs: f64, high_secs: f64) -> Option<String> {
    if high_secs < 9.95 {
        return None;
    }
    let unit = Unit::of(high_secs);
    let (low, high) = (unit.count(low_secs), unit.count(high_secs));
    match low {
        0 if low_secs >= 1.0 => Some(format!("{} to {high} {}", rough(low_secs), unit.name())),
        _ => (low != high).then(|| format!("{low} to {high} {}", unit.name())),
    }
}

/// What a range is counted in.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    /// The one in which so many seconds are a number of two digits.
    fn of(secs: f64) -> Self {
        match secs {
            ..90.0 => Self::Seconds,
            ..5400.0 => Self::Minutes,
            ..172_800.0 => Self::Hours,
            _ => Self::Days,
        }
    }

    fn count(self, secs: f64) -> u64 {
        let unit = match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
            Self::Days => 86400.0,
        };
        (secs.max(0.0) / unit).round() as u64
    }

    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Days => "d",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_one_unit_where_they_can() {
        for (low, high, said) in [
            (0.0, 9.0, None),
            (0.2, 40.0, Some("0 to 40 s")),
            (180.0, 370.0, Some("3 to 6 min")),
            (1000.0, 7200.0, Some("17 min to 2 h")),
            (20.0, 600.0, Some("20 s to 10 min")),
            (3590.0, 3610.0, None),
        ] {
            assert_eq!(range(low, high).as_deref(), said);
        }
    }
}
