//! `22:00-07:00`: hours of the day, across midnight or not, and what becomes of a job that runs when they end.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const MINUTES_PER_DAY: u16 = 24 * 60;

/// From one minute of the day up to another, which is not part of it; in local time. In JSON and in job files it is
/// `"22:00-07:00"`, or `{hours, at_end}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Form", try_from = "Form")]
pub struct Window {
    from_minute: u16,
    to_minute: u16,
    at_end: AtEnd,
}

/// What becomes of a job that runs when its window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    /// It is finished.
    #[default]
    Finish,
    /// It is suspended at the end of its section, and goes on when the window opens again.
    Section,
    /// It is suspended before its next step, and goes on when the window opens again.
    Step,
}

/// A window as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Hours(String),
    Both { hours: String, at_end: AtEnd },
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

impl AtEnd {
    /// All of them, as job files call them.
    pub const ALL: [Self; 3] = [Self::Finish, Self::Section, Self::Step];

    /// Its name in job files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Section => "section",
            Self::Step => "step",
        }
    }
}

impl Window {
    /// The same hours, with another end.
    #[must_use]
    pub fn ending(self, at_end: AtEnd) -> Self {
        Self { at_end, ..self }
    }

    /// What becomes of a job that runs when it ends.
    pub fn at_end(self) -> AtEnd {
        self.at_end
    }

    /// The minutes of the day at which it opens and closes, 0 to 1440.
    pub fn bounds(self) -> [u16; 2] {
        [self.from_minute, self.to_minute]
    }

    /// Whether it is open at this minute of the day, 0 to 1439.
    pub fn contains(self, minute: u16) -> bool {
        if self.from_minute < self.to_minute {
            (self.from_minute..self.to_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.to_minute
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
            at_end: AtEnd::default(),
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

/// The hours.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from_minute, self.to_minute].map(|at| (at / 60, at % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

impl TryFrom<Form> for Window {
    type Error = InvalidWindow;

    fn try_from(form: Form) -> Result<Self, Self::Error> {
        let (hours, at_end) = match form {
            Form::Hours(hours) => (hours, AtEnd::default()),
            Form::Both { hours, at_end } => (hours, at_end),
        };
        hours.parse().map(|window: Self| window.ending(at_end))
    }
}

impl From<Window> for Form {
    fn from(window: Window) -> Self {
        let hours = window.to_string();
        match window.at_end {
            AtEnd::Finish => Self::Hours(hours),
            at_end => Self::Both { hours, at_end },
        }
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
        for (text, minute, is_open) in [
            ("08:00-17:00", 8 * 60, true),
            ("08:00-17:00", 17 * 60 - 1, true),
            ("08:00-17:00", 17 * 60, false),
            ("08:00-17:00", 7 * 60 + 59, false),
            ("22:00-07:00", 23 * 60, true),
            ("22:00-07:00", 0, true),
            ("22:00-07:00", 7 * 60 - 1, true),
            ("22:00-07:00", 7 * 60, false),
            ("22:00-07:00", 12 * 60, false),
            ("22:00-24:00", 23 * 60 + 59, true),
            ("22:00-24:00", 0, false),
            ("22:00-00:00", 0, false),
            ("00:00-24:00", 23 * 60 + 59, true),
        ] {
            let found = window(text).contains(minute);
            assert_eq!(found, is_open, "{text} at minute {minute}");
        }
    }

    #[test]
    fn its_json_is_text_unless_it_says_what_happens_at_its_end() {
        for (window, json) in [
            (window("22:00-07:00"), r#""22:00-07:00""#),
            (
                window("22:00-07:00").ending(AtEnd::Step),
                r#"{"hours":"22:00-07:00","at_end":"step"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&window).unwrap(), json);
            assert_eq!(serde_json::from_str::<Window>(json).unwrap(), window);
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
