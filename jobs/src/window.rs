//! `22:00-07:00`: hours of the day, across midnight or not.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const MINUTES_PER_DAY: u16 = 24 * 60;

/// From one minute of the day up to another, which is not part of it; in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Window {
    from_minute: u16,
    to_minute: u16,
}

/// Not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// Not two times of the day.
    #[error("`{0}` is not a window like 22:00-07:00")]
    Form(String),
    /// No time.
    #[error("a window must not start and end at the same time")]
    Empty,
}

impl Window {
    /// Whether it is open at this minute of the day, 0 to 1439.
    pub fn contains(self, minute: u16) -> bool {
        if self.from_minute < self.to_minute {
            (self.from_minute..self.to_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.to_minute
        }
    }

    /// Minutes from this minute of the day until it opens; 0 while it is open.
    pub fn minutes_until_open(self, minute: u16) -> u16 {
        if self.contains(minute) {
            0
        } else {
            (self.from_minute + MINUTES_PER_DAY - minute) % MINUTES_PER_DAY
        }
    }
}

impl FromStr for Window {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (from, to) = text.split_once('-')?;
            Some((minute_of_day(from.trim())?, minute_of_day(to.trim())?))
        };
        let (from_minute, to_minute) = parse()
            .filter(|(from, _)| *from < MINUTES_PER_DAY)
            .ok_or_else(|| InvalidWindow::Form(text.to_owned()))?;
        if from_minute == to_minute {
            return Err(InvalidWindow::Empty);
        }
        Ok(Self {
            from_minute,
            to_minute,
        })
    }
}

/// `7:05` or `07:05`; `24:00` is the end of the day.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str, most| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(hour, 2) || !digits(minute, 2) || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let is_time = minute < 60 && (hour < 24 || (hour, minute) == (24, 0));
    is_time.then_some(hour * 60 + minute)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from_minute, self.to_minute].map(|at| (at / 60, at % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

impl TryFrom<String> for Window {
    type Error = InvalidWindow;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    #[test]
    fn open_hours_within_a_day_and_across_midnight() {
        for (text, minute, until_open) in [
            ("08:00-17:00", 8 * 60, 0),
            ("08:00-17:00", 17 * 60 - 1, 0),
            ("08:00-17:00", 17 * 60, 15 * 60),
            ("08:00-17:00", 7 * 60 + 59, 1),
            ("22:00-07:00", 23 * 60, 0),
            ("22:00-07:00", 0, 0),
            ("22:00-07:00", 7 * 60 - 1, 0),
            ("22:00-07:00", 7 * 60, 15 * 60),
            ("22:00-07:00", 12 * 60, 10 * 60),
            ("22:00-24:00", 23 * 60 + 59, 0),
            ("22:00-24:00", 0, 22 * 60),
            ("22:00-00:00", 0, 22 * 60),
            ("00:00-24:00", 23 * 60 + 59, 0),
        ] {
            let left = window(text).minutes_until_open(minute);
            assert_eq!(left, until_open, "{text} at minute {minute}");
        }
    }

    #[test]
    fn spelling() {
        assert_eq!(window("7:05 - 9:30").to_string(), "07:05-09:30");
        for text in [
            "",
            "22:00",
            "22-7",
            "22:00-25:00",
            "1:5-2:00",
            "24:01-3:00",
            "24:00-3:00",
            "+1:00-2:00",
        ] {
            assert_eq!(
                text.parse::<Window>(),
                Err(InvalidWindow::Form(text.to_owned()))
            );
        }
        assert_eq!("22:00-22:00".parse::<Window>(), Err(InvalidWindow::Empty));
    }
}
