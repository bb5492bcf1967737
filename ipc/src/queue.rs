//! The queue as clients see it, and what they change about it. Part of [`crate::control`].

use framepack_jobs::{Job, JobId, Selector, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{estimate::Moment, status::Outage};

/// A change of jobs that have not ended, or of one that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRequest {
    /// Which jobs.
    pub scope: Scope,
    /// What is to be changed.
    pub change: Change,
}

/// What a change is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// These jobs.
    Jobs(Vec<Selector>),
    /// All jobs of a group, and those that will come. For `pause` and `resume`.
    Group(String),
    /// The queue as a whole. For `pause` and `resume`.
    All,
}

/// A change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Change {
    /// Queued jobs end, running ones stop.
    Cancel,
    /// The same, but the sections that they have become their videos. A request of its own, which daemons that do not know
    /// it refuse instead of removing the sections.
    CancelKeep,
    /// Queued jobs do not begin until they are released.
    Hold,
    /// They may begin.
    Release,
    /// Queued jobs do not begin, running ones halt.
    Pause {
        /// Where running ones halt.
        at: Boundary,
    },
    /// They go on.
    Resume,
    /// They have this priority, -1000 to 1000.
    Priority {
        /// The priority.
        priority: i32,
    },
    /// Failed jobs are queued again.
    Retry {
        /// Without the sections that they have.
        from_start: bool,
    },
}

/// Where a running job halts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// Before its next step, in place: its worker keeps its memory and takes no other job.
    Step,
    /// At the end of its section: it goes back into the queue with what it has, and its worker is free.
    Section,
    /// At its end: it is finished.
    Job,
}

/// A job that was to be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The job as it is now.
    pub job: Box<Job>,
    /// Whether it changed.
    pub outcome: ChangeOutcome,
    /// What the user should know of it.
    pub remark: Option<String>,
}

/// Whether a job changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// It did, or will at its next boundary, or was so before.
    Changed,
    /// It is to be cancelled, is running, and stops at its next step.
    Stopping,
    /// Its state does not allow it.
    Refused,
    /// An outcome of a later version.
    #[serde(other)]
    Unknown,
}

/// The jobs that have not ended, in the order in which they will run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueView {
    /// Why no job begins, while that is so.
    pub paused: Option<String>,
    /// Groups whose jobs do not begin.
    pub paused_groups: Vec<String>,
    /// Running jobs, then those whose turn comes, then those that wait for something else.
    pub jobs: Vec<QueueEntry>,
    /// What jobs wait for until the farm is mended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    /// When all jobs have ended that begin by themselves; `None`: there are none, or the daemon does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drains: Option<Moment>,
}

/// A job of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueEntry {
    /// 1 is the next to begin; `None` while it runs, or waits for something else than its turn.
    pub turn: Option<u32>,
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub standing: Standing,
    /// Its priority.
    pub priority: i32,
    /// Its group.
    pub group: Option<String>,
    /// Why it stands there, in words.
    pub reason: String,
    /// When that changes by itself, where it is known.
    pub until: Option<Timestamp>,
    /// When it will begin; `None`: it has begun, or the daemon does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Moment>,
    /// When it will end; `None`: the daemon does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Moment>,
}

/// Where a job of the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A worker renders it.
    Running,
    /// A worker has it and halts.
    Paused,
    /// It begins when its turn comes.
    Ready,
    /// A user holds it, or its group.
    Held,
    /// It waits for a job, a time, or a window.
    Waiting,
    /// A standing of a later version.
    #[serde(other)]
    Unknown,
}

impl Standing {
    /// The standing as users read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
        }
    }
}

impl QueueEntry {
    /// Top-level keys of its JSON.
    pub const FIELDS: [&str; 10] = [
        "turn", "id", "name", "standing", "priority", "group", "reason", "until", "begins", "ends",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_look_like_this_on_the_wire() {
        let request = ChangeRequest {
            scope: Scope::Jobs(vec!["3-9".parse().unwrap()]),
            change: Change::Pause {
                at: Boundary::Section,
            },
        };
        let json = r#"{"scope":{"jobs":["3-9"]},"change":{"to":"pause","at":"section"}}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<ChangeRequest>(json).unwrap(),
            request
        );
        let all: Scope = serde_json::from_str("\"all\"").unwrap();
        assert_eq!(all, Scope::All);
    }

    #[test]
    fn an_entry_has_the_keys_that_are_listed() {
        let entry = QueueEntry {
            turn: Some(1),
            id: JobId(7),
            name: "cat".to_owned(),
            standing: Standing::Ready,
            priority: 0,
            group: None,
            reason: "next".to_owned(),
            until: None,
            begins: Some(Moment::unknown("")),
            ends: Some(Moment::unknown("")),
        };
        let json = serde_json::to_value(entry).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), QueueEntry::FIELDS.len());
        assert!(
            keys.iter()
                .all(|key| QueueEntry::FIELDS.contains(&key.as_str()))
        );
    }
}
