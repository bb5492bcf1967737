//! The time of the day here, and when a window opens; across the changes between summer and winter time.

use framepack_jobs::{Timestamp, Window};
use jiff::{ToSpan, Zoned, civil, tz::TimeZone};

use crate::clock::Clock;

/// A point in time, here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::queue) struct LocalTime {
    pub(in crate::queue) now: Timestamp,
    /// What may be taken for the time where nothing can be taken back.
    pub(in crate::queue) sure: Timestamp,
    pub(in crate::queue) zone: TimeZone,
}

impl LocalTime {
    /// Now, by the system's clock and time zone. Without a time zone database local time is UTC.
    pub(in crate::queue) fn now(clock: &Clock) -> Self {
        Self {
            now: Timestamp::now(),
            sure: clock.sure(),
            zone: TimeZone::system(),
        }
    }

    /// Another time, here.
    pub(in crate::queue) fn at(&self, now: Timestamp) -> Self {
        Self {
            now,
            ..self.clone()
        }
    }

    /// Whether a window is open.
    pub(in crate::queue) fn is_in(&self, window: Window) -> bool {
        window.contains(minute(&self.zoned()))
    }

    /// When a window that is closed opens.
    pub(in crate::queue) fn opens(&self, window: Window) -> Timestamp {
        let now = self.zoned();
        let [from, _] = window.bounds();
        let opens_at = civil::time((from / 60) as i8, (from % 60) as i8, 0, 0);
        let days = (0..=2).filter_map(|days| now.date().checked_add(days.days()).ok());
        let regular = days.flat_map(|day| {
            let ambiguous = self.zone.to_ambiguous_zoned(day.to_datetime(opens_at));
            [ambiguous.clone().earlier(), ambiguous.later()]
        });
        let regular = regular.filter_map(Result::ok);
        // An hour that is left out or repeated may begin or end within the window.
        let changes = self.zone.following(now.timestamp()).take(2);
        let changes = changes.map(|change| change.timestamp().to_zoned(self.zone.clone()));
        let opens = regular
            .chain(changes)
            .filter(|time| *time > now && window.contains(minute(time)))
            .min();
        opens.map_or(self.now, |time| {
            Timestamp::from(std::time::SystemTime::from(time.timestamp()))
        })
    }

    fn zoned(&self) -> Zoned {
        let micros = i64::try_from(self.now.as_micros()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
        time.to_zoned(self.zone.clone())
    }
}

/// Minute of the day, 0 to 1439.
fn minute(time: &Zoned) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central Europe: summer time from 2026-03-29T01:00Z to 2026-10-25T01:00Z.
    fn berlin(now: &str) -> LocalTime {
        let now = Timestamp::from_rfc3339(now).unwrap();
        LocalTime {
            now,
            sure: now,
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
        }
    }

    #[test]
    fn when_windows_open_in_ordinary_nights_and_those_with_another_length() {
        for (hours, now, expected) in [
            (
                "22:00-07:00",
                "2026-11-24T12:00:30Z",
                Some("2026-11-24T21:00:00Z"),
            ),
            ("22:00-07:00", "2026-11-24T21:00:00Z", None),
            ("22:00-07:00", "2026-11-25T05:59:59Z", None),
            (
                "22:00-07:00",
                "2026-11-25T06:00:00Z",
                Some("2026-11-25T21:00:00Z"),
            ),
            (
                "07:00-12:00",
                "2026-11-24T12:00:00Z",
                Some("2026-11-25T06:00:00Z"),
            ),
            // The night to summer time: the evening is still an hour later by UTC.
            (
                "22:00-07:00",
                "2026-03-28T20:59:00Z",
                Some("2026-03-28T21:00:00Z"),
            ),
            ("22:00-07:00", "2026-03-29T04:59:59Z", None),
            (
                "22:00-07:00",
                "2026-03-29T05:00:00Z",
                Some("2026-03-29T20:00:00Z"),
            ),
            (
                "04:00-05:00",
                "2026-03-28T12:00:00Z",
                Some("2026-03-29T02:00:00Z"),
            ),
            // 02:30 is left out: 02:00 is 03:00.
            (
                "02:30-05:00",
                "2026-03-28T12:00:00Z",
                Some("2026-03-29T01:00:00Z"),
            ),
            (
                "02:10-02:50",
                "2026-03-28T12:00:00Z",
                Some("2026-03-30T00:10:00Z"),
            ),
            // The night to winter time: 02:00 to 03:00 comes twice.
            (
                "02:30-05:00",
                "2026-10-24T12:00:00Z",
                Some("2026-10-25T00:30:00Z"),
            ),
            ("22:00-02:30", "2026-10-25T00:29:00Z", None),
            (
                "22:00-02:30",
                "2026-10-25T00:45:00Z",
                Some("2026-10-25T01:00:00Z"),
            ),
            (
                "22:00-02:30",
                "2026-10-25T01:30:00Z",
                Some("2026-10-25T21:00:00Z"),
            ),
        ] {
            let (window, time) = (hours.parse().unwrap(), berlin(now));
            assert_eq!(time.is_in(window), expected.is_none(), "{hours} {now}");
            if let Some(expected) = expected {
                let opens = Timestamp::from_rfc3339(expected).unwrap();
                assert_eq!(time.opens(window), opens, "{hours} {now}");
            }
        }
    }
}
