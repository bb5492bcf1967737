//! Points in time as the records carry them: RFC 3339, UTC, microseconds.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{
    SignedDuration,
    civil::{self, Date, DateTime},
    fmt::strtime,
};
use serde::{Deserialize, Serialize};

const EPOCH: DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

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

    /// The day in UTC; written as `2026-11-23`.
    pub fn date(self) -> Date {
        self.utc().date()
    }

    /// Date and time in UTC; the end of the year 9999 for all that is later.
    fn utc(self) -> DateTime {
        let micros = i64::try_from(self.0).unwrap_or(i64::MAX);
        EPOCH.saturating_add(SignedDuration::from_micros(micros))
    }

    /// `None` before 1970.
    fn from_utc(utc: DateTime) -> Option<Self> {
        let micros = utc.duration_since(EPOCH).as_micros();
        u64::try_from(micros).ok().map(Self)
    }

    /// A time as people write it: RFC 3339, with any offset, with or without a fraction of a second.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date_time, offset_secs) = split_offset(text)?;
        let (date, time) = date_time.split_once(['T', 't', ' '])?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let micros = format!("{fraction:0<6}");
        let utc: Self = format!("{date}T{time}.{}Z", micros.get(..6)?)
            .parse()
            .ok()?;
        utc.0.checked_add_signed(-offset_secs * 1_000_000).map(Self)
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

    /// This much earlier, 1970 at the earliest.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_micros() as u64))
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
        write!(f, "{:.6}Z", self.utc())
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || Self::from_utc(text.strip_suffix('Z')?.parse().ok()?);
        // The round trip rejects what else jiff reads: other separators, fewer or more digits, leap seconds.
        parse()
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| InvalidTimestamp(text.to_owned()))
    }
}

/// The text without its offset from UTC, and that in seconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(utc) = text.strip_suffix(['Z', 'z']) {
        return Some((utc, 0));
    }
    let (date_time, offset) = text.split_at_checked(text.len().checked_sub("+01:00".len())?)?;
    let offset_secs = strtime::parse("%:z", offset).ok()?.offset()?.seconds();
    // jiff also reads +24:00 and +25:59.
    (offset_secs.abs() < 24 * 3600).then_some((date_time, i64::from(offset_secs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROS_PER_DAY: u64 = 86_400_000_000;

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
