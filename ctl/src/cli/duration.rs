//! Durations on the command line.

use std::time::Duration;

/// Longest `--timeout`, about 136 years: more would overflow the clock.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// `90`, `90s`, `1.5m`, `9h` or `2d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit_secs) = match text.char_indices().next_back() {
        Some((i, 's')) => (&text[..i], 1.0),
        Some((i, 'm')) => (&text[..i], 60.0),
        Some((i, 'h')) => (&text[..i], 3600.0),
        Some((i, 'd')) => (&text[..i], 86_400.0),
        _ => (text, 1.0),
    };
    let secs = number.parse::<f64>().ok().map(|number| number * unit_secs);
    secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok())
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| "expected a duration, such as 90s, 20m or 9h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, secs) in [
            ("90", 90.0),
            ("0.5s", 0.5),
            ("1.5m", 90.0),
            ("9h", 32_400.0),
            ("2d", 172_800.0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(secs)), "{text}");
        }
        for text in ["", "s", "-1", "1w", "inf", "NaN", "9 h", "4e15h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
