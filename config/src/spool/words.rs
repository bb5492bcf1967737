//! Settings of `spool` that are one of a few words.

use std::str::FromStr;

/// Whether the file system is asked to tell of changes in the jobs folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// Asked where the file system is local and a test shows that it tells.
    #[default]
    Auto,
    /// Always asked.
    Events,
    /// Never asked: the folder is only listed.
    Poll,
}

/// Not a way of watching.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a way of watching; there are auto, events and poll")]
pub struct UnknownWatchMode(String);

impl FromStr for WatchMode {
    type Err = UnknownWatchMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "events" => Ok(Self::Events),
            "poll" => Ok(Self::Poll),
            other => Err(UnknownWatchMode(other.to_owned())),
        }
    }
}

/// What becomes of a file that is a job already, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dedupe {
    /// It is put away: the job is not rendered again.
    #[default]
    Skip,
    /// It is a new job, with a warning.
    Warn,
    /// It is a new job.
    Off,
}

/// Nothing that can be done with duplicates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not known; there are skip, warn and off")]
pub struct UnknownDedupe(String);

impl FromStr for Dedupe {
    type Err = UnknownDedupe;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "skip" => Ok(Self::Skip),
            "warn" => Ok(Self::Warn),
            "off" => Ok(Self::Off),
            other => Err(UnknownDedupe(other.to_owned())),
        }
    }
}
