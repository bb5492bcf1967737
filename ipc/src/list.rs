//! Which jobs to list. Part of [`crate::control`].

use framepack_jobs::{Job, StateName, Timestamp};
use serde::{Deserialize, Serialize};

/// Which jobs to list: those that all of it fits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListRequest {
    /// Only jobs in these states; empty = all.
    #[serde(default)]
    pub states: Vec<StateName>,
    /// Only jobs of this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only jobs that were submitted, began or ended since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl ListRequest {
    /// Whether the job is among them.
    pub fn is_meant(&self, job: &Job) -> bool {
        let Self {
            states,
            group,
            since,
        } = self;
        (states.is_empty() || states.contains(&job.state.name()))
            && (group.is_none() || job.schedule.group == *group)
            && since.is_none_or(|since| job.changed_at() >= since)
    }
}
