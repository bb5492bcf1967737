//! When a job may run, and what is done when it fails: what the job file says of that.
//!
//! None of it changes the video, so none of it is part of the job's key.

use serde::{Deserialize, Serialize};

use crate::{Class, JobId, Timestamp, Window};

/// When a job may run. In JSON its keys are those of the job file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Jobs of a higher priority run first; -1000 to 1000.
    pub priority: i32,
    /// The group that it can be paused with.
    pub group: Option<String>,
    /// Jobs that must be done before.
    pub after: Vec<Dependency>,
    /// It does not begin before.
    pub not_before: Option<Timestamp>,
    /// It is not begun any more after this; it is [`crate::JobState::Expired`] then.
    pub deadline: Option<Timestamp>,
    /// The hours of the day in which it may begin, and what becomes of it when they end.
    pub window: Option<Window>,
    /// What is done when it fails.
    pub retry: RetrySpec,
}

/// A job that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dependency {
    /// By its number.
    Number(JobId),
    /// By its name or its key: the newest job that has it.
    Named(String),
}

/// Which failures are tried again, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetrySpec {
    /// Further attempts, 0 to 10.
    pub max: u32,
    /// Classes of failures that are worth another attempt.
    pub on: Vec<Class>,
    /// Seconds before the first further attempt; doubled with each.
    pub backoff_secs: u32,
}

impl RetrySpec {
    /// The classes that may be tried again. Of the others the next attempt would only say the same.
    pub const CLASSES: [Class; 6] = [
        Class::Oom,
        Class::Numerics,
        Class::Hang,
        Class::Gpu,
        Class::Io,
        Class::Internal,
    ];
}

impl Default for RetrySpec {
    /// Twice, after 30 s and 60 s, where it may help. A fault of ours or of the installation stays what it is.
    fn default() -> Self {
        let worth_it = |class: &Class| *class != Class::Internal;
        Self {
            max: 2,
            on: Self::CLASSES.into_iter().filter(worth_it).collect(),
            backoff_secs: 30,
        }
    }
}

impl std::fmt::Display for Dependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(id) => write!(f, "job {id}"),
            Self::Named(name) => write!(f, "`{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_job_files_keys_and_may_lack_any() {
        let json = r#"{"priority":5,"group":"night","after":[3,"shot-1"],"not_before":null,"deadline":null,"window":"22:00-07:00","retry":{"max":2,"on":["oom","numerics","hang","gpu","io"],"backoff_secs":30}}"#;
        let schedule: Schedule = serde_json::from_str(json).unwrap();
        assert_eq!(
            schedule.after,
            [
                Dependency::Number(JobId(3)),
                Dependency::Named("shot-1".to_owned())
            ]
        );
        assert_eq!(serde_json::to_string(&schedule).unwrap(), json);
        let empty: Schedule = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Schedule::default());
    }
}
