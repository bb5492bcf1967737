//! How long a worker keeps its memory without a job: a number of seconds, or `never` less.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

use crate::{ProblemKind, Problems, Table, yaml::Node};

/// Range of `idle.warm_after_secs` and `idle.cold_after_secs`: up to a month.
pub const IDLE_SECS: RangeInclusive<u32> = 0..=2_678_400;

/// A moment of an idle time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleLimit {
    /// It does not come.
    Never,
    /// After so many seconds; 0 = with the end of each job.
    Secs(u32),
}

/// Neither `never` nor a number of seconds in [`IDLE_SECS`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither never nor a whole number of seconds, {} to {}", IDLE_SECS.start(), IDLE_SECS.end())]
pub struct NoIdleLimit {
    text: String,
}

impl IdleLimit {
    /// The time until then; `None` = never.
    pub fn duration(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Secs(secs) => Some(Duration::from_secs(secs.into())),
        }
    }
}

impl FromStr for IdleLimit {
    type Err = NoIdleLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let secs = text.parse().ok().filter(|secs| IDLE_SECS.contains(secs));
        secs.map(Self::Secs).ok_or_else(|| NoIdleLimit {
            text: text.to_owned(),
        })
    }
}

/// The limit behind a key of the file.
pub(crate) fn idle_limit(
    table: &Table<'_>,
    key: &str,
    problems: &mut Problems,
) -> Option<IdleLimit> {
    let Node::Text(text) = table.get(key)? else {
        return table
            .integer(key, &IDLE_SECS, problems)
            .map(IdleLimit::Secs);
    };
    text.parse()
        .map_err(|err: NoIdleLimit| {
            problems.push(table.problem(ProblemKind::OutOfRange, key, err.to_string()));
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_or_seconds() {
        assert_eq!("never".parse(), Ok(IdleLimit::Never));
        assert_eq!("0".parse(), Ok(IdleLimit::Secs(0)));
        assert_eq!(
            "90".parse().ok().and_then(IdleLimit::duration),
            Some(Duration::from_secs(90))
        );
        assert_eq!(IdleLimit::Never.duration(), None);
        for text in ["", "off", "-1", "1.5", "2678401"] {
            let message = text.parse::<IdleLimit>().unwrap_err().to_string();
            let expected =
                format!("`{text}` is neither never nor a whole number of seconds, 0 to 2678400");
            assert_eq!(message, expected);
        }
    }
}
