//! `--since`: how far back a command looks.

use std::str::FromStr;

use framepack_jobs::Timestamp;
use jiff::{
    Zoned,
    civil::{Date, Time},
    fmt::strtime,
    tz::TimeZone,
};

use super::duration::duration;

/// A time in the past: `8h` ago, `22:00` as clocks here last showed it, a date, or an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Since(pub(crate) Timestamp);

impl Since {
    fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let is_span = text.ends_with(['s', 'm', 'h', 'd']);
        let ago = || duration(text).ok().map(|ago| now.minus(ago));
        let clock = || {
            let time = strtime::parse("%H:%M", text).ok()?.to_time().ok()?;
            last_at(time, now)
        };
        let day = || text.parse().ok().and_then(begin_of);
        let time = if is_span { ago() } else { None };
        time.or_else(clock)
            .or_else(|| Timestamp::from_rfc3339(text))
            .or_else(day)
            .map(Self)
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, Timestamp::now()).ok_or_else(|| {
            "expected a time, such as 8h, 7d, 22:00, 2026-11-24 or 2026-11-24T22:00:00+01:00"
                .to_owned()
        })
    }
}

/// When clocks here last showed this.
fn last_at(time: Time, now: Timestamp) -> Option<Timestamp> {
    let here = here(now)?;
    let today = here.with().time(time).build().ok()?;
    let last = if today <= here {
        today
    } else {
        today.yesterday().ok()?.with().time(time).build().ok()?
    };
    timestamp(&last)
}

fn begin_of(day: Date) -> Option<Timestamp> {
    timestamp(&day.to_zoned(TimeZone::system()).ok()?)
}

fn here(time: Timestamp) -> Option<Zoned> {
    let micros = i64::try_from(time.as_micros()).ok()?;
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(time.to_zoned(TimeZone::system()))
}

fn timestamp(time: &Zoned) -> Option<Timestamp> {
    let micros = u64::try_from(time.timestamp().as_microsecond()).ok()?;
    Some(Timestamp::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn spans_and_times_are_understood() {
        let now = at("2026-11-28T07:00:00Z");
        for (text, since) in [
            ("8h", "2026-11-27T23:00:00Z"),
            ("30m", "2026-11-28T06:30:00Z"),
            ("2d", "2026-11-26T07:00:00Z"),
            ("20000d", "1972-02-25T07:00:00Z"),
            ("2026-11-27T22:00:00+01:00", "2026-11-27T21:00:00Z"),
        ] {
            assert_eq!(Since::parse(text, now), Some(Since(at(since))), "{text}");
        }
        for text in [
            "",
            "h",
            "-1h",
            "25:00",
            "yesterday",
            "8",
            "8x",
            "2026-13-01",
        ] {
            assert_eq!(Since::parse(text, now), None, "{text}");
        }
    }

    #[test]
    fn days_and_times_of_a_day_are_those_of_here() {
        let now = at("2026-11-28T07:00:00Z");
        for hour in 0..24 {
            let Since(since) = Since::parse(&format!("{hour:02}:00"), now).unwrap();
            assert!(since <= now && now.secs_since(since) < 25.0 * 3600.0);
            assert_eq!(here(since).unwrap().hour(), hour);
        }
        let Since(day) = Since::parse("2026-11-24", now).unwrap();
        let day = here(day).unwrap();
        assert_eq!(
            (day.date().to_string().as_str(), day.hour()),
            ("2026-11-24", 0)
        );
    }
}
