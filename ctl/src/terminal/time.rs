//! Times as people read them, in the time zone of the machine.

use framepack_jobs::Timestamp;
use jiff::{Zoned, civil::Date, tz::TimeZone};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// When something happens whose time has come.
const ANY_MOMENT: &str = "any moment";
/// At one in the morning nobody calls eleven yesterday.
const THIS_NIGHT: u64 = 6 * HOUR;

/// How long ago that was: `40 s ago`, `3 min ago`, `5 h ago`, `yesterday 22:10`, `Tue 22:10`, `12 Nov 22:10`,
/// `2025-11-12`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    ago_in(then, now, &TimeZone::system())
}

/// When that will be: `in 40 s`, `in 12 min`, `at 22:10`, `tomorrow 07:00`, `Tue 07:00`, `12 Nov 07:00`; `any moment`
/// once it has come.
pub(crate) fn until(then: Timestamp, now: Timestamp) -> String {
    until_in(then, now, &TimeZone::system())
}

/// When what is to happen then will: the time of the day, as of [`moment`]; `any moment` once it has come.
pub(crate) fn next(then: Timestamp, now: Timestamp) -> String {
    if then <= now {
        ANY_MOMENT.to_owned()
    } else {
        moment(then, now)
    }
}

/// Date and time of what is to happen then, as of [`full`]; that it is due once it has come.
pub(crate) fn full_next(then: Timestamp, now: Timestamp) -> String {
    if then <= now {
        format!("{} (due)", second(then))
    } else {
        full(then, now)
    }
}

/// The time of the day, with the day where that is another one: `22:10`, `yesterday 22:10`, `tomorrow 07:00`.
pub(crate) fn moment(then: Timestamp, now: Timestamp) -> String {
    moment_in(then, now, &TimeZone::system())
}

/// The same sentence with each time in it, `2026-11-29T22:10:00.000000Z`, as `written` has it.
pub(crate) fn with_moments(text: &str, written: impl Fn(Timestamp) -> String) -> String {
    let is_of_time = |c: char| c.is_ascii_digit() || "-:.TZ".contains(c);
    let words = text.split(' ').map(|word| {
        let (time, rest) = word.split_at(word.find(|c| !is_of_time(c)).unwrap_or(word.len()));
        Timestamp::from_rfc3339(time).map_or_else(|| word.to_owned(), |then| written(then) + rest)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Date and time, and how far from now that is where it is near: `2026-11-29 13:56:30 (3 min ago)`.
pub(crate) fn full(then: Timestamp, now: Timestamp) -> String {
    full_in(then, now, &TimeZone::system())
}

/// Date and time to the second: `2026-11-29 13:56:30`.
pub(crate) fn second(time: Timestamp) -> String {
    second_in(time, &TimeZone::system())
}

/// Date and time to the minute, for what is read on another day: `2026-11-28 22:10`.
pub(crate) fn minute(time: Timestamp) -> String {
    minute_in(time, &TimeZone::system())
}

fn ago_in(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if then > now {
        return until_in(then, now, zone);
    }
    let secs = now.secs_since(then) as u64;
    let is_today = zoned(then, zone).date() == zoned(now, zone).date();
    match secs {
        0 => "just now".to_owned(),
        1..MINUTE => format!("{secs} s ago"),
        MINUTE..HOUR => format!("{} min ago", secs / MINUTE),
        HOUR.. if is_today || secs < THIS_NIGHT => format!("{} h ago", secs / HOUR),
        _ => moment_in(then, now, zone),
    }
}

fn until_in(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if then <= now {
        return ANY_MOMENT.to_owned();
    }
    let secs = then.secs_since(now) as u64;
    let is_today = zoned(then, zone).date() == zoned(now, zone).date();
    match secs {
        0 => "now".to_owned(),
        1..MINUTE => format!("in {secs} s"),
        MINUTE..HOUR => format!("in {} min", secs / MINUTE),
        HOUR.. if is_today => format!("at {}", moment_in(then, now, zone)),
        _ => moment_in(then, now, zone),
    }
}

fn full_in(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let written = second_in(then, zone);
    let is_past = then <= now;
    let distance = if is_past {
        now.secs_since(then)
    } else {
        then.secs_since(now)
    };
    match distance as u64 {
        DAY.. => written,
        _ if is_past => format!("{written} ({})", ago_in(then, now, zone)),
        _ => format!("{written} ({})", until_in(then, now, zone)),
    }
}

fn moment_in(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let then = zoned(then, zone);
    let today = zoned(now, zone).date();
    let date = then.date();
    let time = then.strftime("%H:%M");
    match days_between(today, date) {
        0 => time.to_string(),
        -1 => format!("yesterday {time}"),
        1 => format!("tomorrow {time}"),
        // No weekday occurs twice in these.
        -6..=6 => format!("{} {time}", then.strftime("%a")),
        _ if date.year() == today.year() => format!("{} {time}", then.strftime("%-d %b")),
        _ => date.to_string(),
    }
}

fn second_in(time: Timestamp, zone: &TimeZone) -> String {
    zoned(time, zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn minute_in(time: Timestamp, zone: &TimeZone) -> String {
    zoned(time, zone).strftime("%Y-%m-%d %H:%M").to_string()
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}

fn zoned(time: Timestamp, zone: &TimeZone) -> Zoned {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    time.to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Sunday.
    const NOW: &str = "2026-11-29T14:00:00Z";

    fn at(time: &str) -> Timestamp {
        Timestamp::from_rfc3339(time).unwrap()
    }

    #[test]
    fn what_was_is_told_from_now() {
        for (then, expected) in [
            ("2026-11-29T14:00:00Z", "just now"),
            ("2026-11-29T13:59:20Z", "40 s ago"),
            ("2026-11-29T13:56:30Z", "3 min ago"),
            ("2026-11-29T09:00:00Z", "5 h ago"),
            ("2026-11-28T22:10:00Z", "yesterday 22:10"),
            ("2026-11-24T22:10:00Z", "Tue 22:10"),
            ("2026-11-12T22:10:00Z", "12 Nov 22:10"),
            ("2025-11-29T22:10:00Z", "2025-11-29"),
            // The clock was set back since.
            ("2026-11-29T14:00:30Z", "in 30 s"),
        ] {
            let ago = ago_in(at(then), at(NOW), &TimeZone::UTC);
            assert_eq!(ago, expected, "{then}");
        }
    }

    #[test]
    fn times_in_sentences_are_told_like_others() {
        for (sentence, expected) in [
            (
                "waiting for its window 22:00-07:00; it begins at 2026-11-29T22:00:00.000000Z",
                "waiting for its window 22:00-07:00; it begins at 22:00",
            ),
            (
                "failed at 2026-11-28T22:10:00Z, again at 2026-11-30T07:00:00.5Z",
                "failed at yesterday 22:10, again at tomorrow 07:00",
            ),
            (
                "2026-11-29 is no time  of day",
                "2026-11-29 is no time  of day",
            ),
            ("", ""),
        ] {
            let moment = |then| moment_in(then, at(NOW), &TimeZone::UTC);
            assert_eq!(with_moments(sentence, moment), expected);
        }
    }

    #[test]
    fn a_night_is_one_day() {
        let one = at("2026-11-29T01:00:00Z");
        for (then, expected) in [
            ("2026-11-28T23:00:00Z", "2 h ago"),
            ("2026-11-28T18:00:00Z", "yesterday 18:00"),
        ] {
            assert_eq!(ago_in(at(then), one, &TimeZone::UTC), expected);
        }
    }

    #[test]
    fn what_comes_is_told_from_now() {
        for (then, expected) in [
            ("2026-11-29T13:00:00Z", "any moment"),
            ("2026-11-29T14:00:00.5Z", "now"),
            ("2026-11-29T14:00:40Z", "in 40 s"),
            ("2026-11-29T14:12:59Z", "in 12 min"),
            ("2026-11-29T22:10:00Z", "at 22:10"),
            ("2026-11-30T07:00:00Z", "tomorrow 07:00"),
            ("2026-12-01T07:00:00Z", "Tue 07:00"),
            ("2026-12-24T07:00:00Z", "24 Dec 07:00"),
            ("2027-01-01T07:00:00Z", "2027-01-01"),
        ] {
            let until = until_in(at(then), at(NOW), &TimeZone::UTC);
            assert_eq!(until, expected, "{then}");
        }
    }

    #[test]
    fn days_are_those_of_the_time_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(12));
        let then = at("2026-11-29T11:30:00Z");
        assert_eq!(moment_in(then, at(NOW), &zone), "yesterday 23:30");
        assert_eq!(moment_in(then, at(NOW), &TimeZone::UTC), "11:30");
        assert_eq!(minute_in(then, &zone), "2026-11-29 23:30");
    }

    #[test]
    fn full_times_say_how_near_they_are() {
        for (then, expected) in [
            ("2026-11-29T13:56:30Z", "2026-11-29 13:56:30 (3 min ago)"),
            ("2026-11-29T14:12:59Z", "2026-11-29 14:12:59 (in 12 min)"),
            ("2026-11-28T13:56:30Z", "2026-11-28 13:56:30"),
        ] {
            assert_eq!(full_in(at(then), at(NOW), &TimeZone::UTC), expected);
        }
    }

    #[test]
    fn what_is_to_happen_at_a_time_that_has_come_is_due() {
        let (now, past) = (at(NOW), at("2026-11-29T13:56:30Z"));
        for then in [past, now] {
            assert_eq!(next(then, now), "any moment");
            assert!(full_next(then, now).ends_with(" (due)"));
        }
        let comes = at("2026-11-29T14:12:59Z");
        assert_eq!(next(comes, now), moment(comes, now));
        assert_eq!(full_next(comes, now), full(comes, now));
    }
}
