//! Points in time as the records carry them: RFC 3339, UTC, microseconds.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

const MICROS_PER_DAY: u64 = 86_400_000_000;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
///
/// Written as `2026-11-23T05:16:08.000001Z`; later times sort later as text, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(u64);

/// Not a time in the form `2026-11-23T05:16:08.000001Z`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a UTC time like 2026-11-23T05:16:08.000001Z")]
pub struct InvalidTimestamp(String);

impl Timestamp {
    /// The system clock's time; a clock set before 1970 reads as 1970.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Days since 1970-01-01 as (year, month, day) of the Gregorian calendar.
    pub fn date(self) -> (u64, u64, u64) {
        // Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days:
        // years start in March, so that the leap day is a year's last; eras of 400 years = 146 097 days.
        let days = self.0 / MICROS_PER_DAY + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        (era * 400 + year_of_era + u64::from(month <= 2), month, day)
    }

    /// A time as people write it: RFC 3339, with any offset, with or without a fraction of a second.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date_time, offset_minutes) = split_offset(text)?;
        let (date, time) = date_time.split_once(['T', 't', ' '])?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let micros = format!("{fraction:0<6}");
        let utc: Self = format!("{date}T{time}.{}Z", micros.get(..6)?)
            .parse()
            .ok()?;
        let offset_micros = offset_minutes * 60 * 1_000_000;
        utc.0.checked_add_signed(-offset_micros).map(Self)
    }

    /// Microseconds since 1970.
    pub fn as_micros(self) -> u64 {
        self.0
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_micros() as u64))
    }

    /// Seconds from `earlier` to this time; 0 when the clock was set back in between.
    pub fn secs_since(self, earlier: Self) -> f64 {
        Duration::from_micros(self.0.saturating_sub(earlier.0)).as_secs_f64()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_micros() as u64)
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let micros = self.0 % MICROS_PER_DAY;
        let (secs, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"
        )
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let field = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
            let [year, month, day] = [field(0..4)?, field(5..7)?, field(8..10)?];
            let [hour, minute, second, micros] = [
                field(11..13)?,
                field(14..16)?,
                field(17..19)?,
                field(20..26)?,
            ];
            let days = days_from_civil(year, month, day)?;
            let secs = hour * 3600 + minute * 60 + second;
            Some(Self(days * MICROS_PER_DAY + secs * 1_000_000 + micros))
        };
        // The round trip rejects other separators, signs, offsets, and dates that do not exist.
        parse()
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| InvalidTimestamp(text.to_owned()))
    }
}

/// The text without its offset from UTC, and that in minutes.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(utc) = text.strip_suffix(['Z', 'z']) {
        return Some((utc, 0));
    }
    let (date_time, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, hours_minutes) = match offset.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = hours_minutes.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some((date_time, sign * (hours * 60 + minutes)))
}

/// Days from 1970-01-01; the inverse of [`Timestamp::date`]. `None` before 1970.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let (era, year_of_era) = (year / 400, year % 400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_700_000_000_123_456, "2023-11-14T22:13:20.123456Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Timestamp(micros).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp(micros)));
        }
    }

    #[test]
    fn every_day_of_two_centuries_survives_the_round_trip() {
        for day in 0..73_049 {
            let time = Timestamp(day * MICROS_PER_DAY + 1);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn times_as_people_write_them() {
        let noon = Some("2026-11-24T12:00:00.000000Z".parse().unwrap());
        for text in [
            "2026-11-24T12:00:00Z",
            "2026-11-24t12:00:00.0z",
            "2026-11-24 13:00:00+01:00",
            "2026-11-24T06:30:00.0000009-05:30",
            "2026-11-25T00:00:00+12:00",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), noon, "{text}");
        }
        for text in [
            "",
            "2026-11-24",
            "12:00",
            "2026-11-24T12:00:00",
            "2026-11-24T12:00Z",
            "2026-02-30T12:00:00Z",
            "2026-11-24T12:00:00.Z",
            "2026-11-24T12:00:00+1:00",
            "2026-11-24T12:00:00+24:00",
            "1970-01-01T00:00:00+01:00",
            "2026-11-24T12:00:00é01:00",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T05:16:08Z",
            "2026-11-23T05:16:08.000001+00:00",
            "2026-02-30T05:16:08.000001Z",
            "2026-11-23T24:00:00.000000Z",
            "2026-11-23 05:16:08.000001Z",
            "1969-12-31T23:59:59.999999Z",
            "2026-11-23T05:16:08.00000éZ",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
