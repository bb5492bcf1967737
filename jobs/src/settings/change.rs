//! What a reload of the configuration changes, and for whom.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    row::{Counts, Row, Scope},
    table::ATTENTION,
};

/// From when on a setting of the daemon counts that was changed and read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// At once.
    AtOnce,
    /// For jobs that begin from then on, also those that were accepted before.
    NextRuns,
    /// For jobs that are accepted from then on; the others keep what was so when they were accepted.
    NewJobs,
    /// Only once the daemon is started again.
    Restart,
    /// A moment of a later version.
    #[serde(other)]
    Unknown,
}

/// A setting with another value than the one that the daemon runs with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingChange {
    /// Its key, as in `idle.warm_after_secs`.
    pub key: String,
    /// The value before; `null` for one that was not set.
    pub old: Value,
    /// The value now; `null` for one that is not set.
    pub new: Value,
    /// From when on it counts.
    pub applies: Applies,
}

impl SettingChange {
    /// Top-level keys of its JSON.
    pub const FIELDS: [&str; 4] = ["key", "old", "new", "applies"];
}

impl Row {
    /// From when on the farm's value counts after a reload; `None`: the farm has none.
    pub fn applies(&self) -> Option<Applies> {
        match self.scope {
            Scope::Job => None,
            // Workers are started with it.
            Scope::Farm => Some(Applies::Restart),
            Scope::Both if *self == ATTENTION => Some(Applies::Restart),
            Scope::Both => Some(match self.counts {
                Counts::AtSubmission => Applies::NewJobs,
                Counts::AtStart => Applies::NextRuns,
            }),
        }
    }
}

impl fmt::Display for Applies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtOnce => "at once",
            Self::NextRuns => "next runs",
            Self::NewJobs => "new jobs",
            Self::Restart => "restart",
            Self::Unknown => "unknown",
        })
    }
}

impl fmt::Display for SettingChange {
    /// `steps: 25 → 30`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| match value {
            Value::Null => "not set".to_owned(),
            value => value.to_string(),
        };
        write!(
            f,
            "{}: {} → {}",
            self.key,
            shown(&self.old),
            shown(&self.new)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{KERNELS, PRESERVE_GB, PROMPT, STEPS};

    #[test]
    fn what_changes_a_video_is_for_new_jobs_and_what_a_worker_is_started_with_for_a_restart() {
        for (row, applies) in [
            (&STEPS, Some(Applies::NewJobs)),
            (&PRESERVE_GB, Some(Applies::NextRuns)),
            (&KERNELS, Some(Applies::Restart)),
            (&ATTENTION, Some(Applies::Restart)),
            (&PROMPT, None),
        ] {
            assert_eq!(row.applies(), applies, "{}", row.key);
        }
    }

    #[test]
    fn a_change_in_words() {
        let change = |old, new| SettingChange {
            key: "steps".to_owned(),
            old,
            new,
            applies: Applies::NewJobs,
        };
        assert_eq!(change(25.into(), 30.into()).to_string(), "steps: 25 → 30");
        let unset = change(Value::Null, "auto".into());
        assert_eq!(unset.to_string(), "steps: not set → \"auto\"");
        let later: Applies = serde_json::from_str("\"tomorrow\"").unwrap();
        assert_eq!(later, Applies::Unknown);
    }
}
