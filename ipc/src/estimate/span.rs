//! Durations in words.

/// A duration for people, as exact as it matters: `0.4 s`, `40 s`, `4 min 10 s`, `25 min`, `2 h 5 min`, `1 d 4 h`.
pub fn span(secs: f64) -> String {
    if secs < 9.95 {
        return format!("{:.1} s", secs.max(0.0));
    }
    let whole = secs.round() as u64;
    let two = |large: u64, small: u64, names: [&str; 2]| match small {
        0 => format!("{large} {}", names[0]),
        _ => format!("{large} {} {small} {}", names[0], names[1]),
    };
    match whole {
        0..90 => format!("{whole} s"),
        90..600 => two(whole / 60, whole % 60, ["min", "s"]),
        600..5400 => format!("{} min", (whole + 30) / 60),
        5400..86400 => {
            let minutes = (whole + 30) / 60;
            two(minutes / 60, minutes % 60, ["h", "min"])
        }
        _ => {
            let hours = (whole + 1800) / 3600;
            two(hours / 24, hours % 24, ["d", "h"])
        }
    }
}

/// From one duration to another, in the unit of the longer one: `3 to 6 min`; `None` where both are the same in it, or too
/// short for words.
pub(super) fn range(low_secs: f64, high_secs: f64) -> Option<String> {
    if high_secs < 9.95 {
        return None;
    }
    let unit = Unit::of(high_secs);
    let (low, high) = (unit.count(low_secs), unit.count(high_secs));
    (low != high).then(|| format!("{low} to {high} {}", unit.name()))
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
    fn durations_are_as_exact_as_it_matters() {
        for (secs, said) in [
            (0.0, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (89.0, "89 s"),
            (120.0, "2 min"),
            (250.0, "4 min 10 s"),
            (1500.0, "25 min"),
            (7500.0, "2 h 5 min"),
            (100_000.0, "1 d 4 h"),
        ] {
            assert_eq!(span(secs), said);
        }
    }
}
