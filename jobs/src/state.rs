//! The life of a job: its states with their data, and which may follow which.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Failure, JobId, Progress, RenderOutput, RenderPlan, Timestamp};

/// State of a job with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running {
        /// When the worker was told.
        started_at: Timestamp,
        /// The worker's device: `cpu` or `cuda:N`.
        device: String,
        /// What will be rendered, once the worker has worked it out.
        plan: Option<RenderPlan>,
        /// Where it is.
        progress: Option<Progress>,
        /// It stands still, with all its memory, until it is resumed.
        #[serde(default)]
        paused: bool,
    },
    /// The video is there, read back and checked.
    Done {
        /// When the worker was told.
        started_at: Timestamp,
        /// When the video was in place.
        finished_at: Timestamp,
        /// What was made and how.
        result: Box<RenderOutput>,
    },
    /// No video, and why.
    Failed {
        /// When.
        finished_at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// A user stopped it.
    Cancelled {
        /// When.
        finished_at: Timestamp,
        /// The video of the sections that it had, where the user wanted one; its `partial` says which part that is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Box<RenderOutput>>,
    },
    /// Its deadline passed before it began.
    Expired {
        /// When that was seen.
        finished_at: Timestamp,
        /// The same in words.
        failure: Failure,
    },
}

/// A state's name, as users type and read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// [`JobState::Queued`]
    Queued,
    /// [`JobState::Running`]
    Running,
    /// [`JobState::Done`]
    Done,
    /// [`JobState::Failed`]
    Failed,
    /// [`JobState::Cancelled`]
    Cancelled,
    /// [`JobState::Expired`]
    Expired,
}

/// A transition that a job's life does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("job {job} is {from} and cannot become {to}")]
pub struct IllegalTransition {
    /// The job.
    pub job: JobId,
    /// Its state.
    pub from: StateName,
    /// The state it was to have.
    pub to: StateName,
}

/// Not the name of a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state; expected one of queued, running, done, failed, cancelled, expired")]
pub struct UnknownState(String);

impl JobState {
    /// The state without its data.
    pub fn name(&self) -> StateName {
        match self {
            Self::Queued => StateName::Queued,
            Self::Running { .. } => StateName::Running,
            Self::Done { .. } => StateName::Done,
            Self::Failed { .. } => StateName::Failed,
            Self::Cancelled { .. } => StateName::Cancelled,
            Self::Expired { .. } => StateName::Expired,
        }
    }

    /// What was made, where there is a video: the whole, or what a cancelled job had of it.
    pub fn result(&self) -> Option<&RenderOutput> {
        match self {
            Self::Done { result, .. } => Some(result),
            Self::Cancelled { result, .. } => result.as_deref(),
            _ => None,
        }
    }

    /// The same for a client that moves the video.
    pub fn result_mut(&mut self) -> Option<&mut RenderOutput> {
        match self {
            Self::Done { result, .. } => Some(result),
            Self::Cancelled { result, .. } => result.as_deref_mut(),
            _ => None,
        }
    }

    /// The state of a job that was cancelled, and of which nothing is kept.
    pub fn cancelled(finished_at: Timestamp) -> Self {
        Self::Cancelled {
            finished_at,
            result: None,
        }
    }

    /// When the job ended, if it has.
    pub fn finished_at(&self) -> Option<Timestamp> {
        match self {
            Self::Queued | Self::Running { .. } => None,
            Self::Done { finished_at, .. }
            | Self::Failed { finished_at, .. }
            | Self::Cancelled { finished_at, .. }
            | Self::Expired { finished_at, .. } => Some(*finished_at),
        }
    }
}

impl StateName {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The only place that says which state may follow which.
    pub fn may_become(self, next: Self) -> bool {
        use StateName::{Cancelled, Done, Expired, Failed, Queued, Running};
        match (self, next) {
            // Failed from the queue: its folders can't be made, or a job that it waits for has no video.
            (Queued, Running | Failed | Cancelled | Expired)
            // Running again: its plan or progress is new. Queued again: the worker or the daemon stopped, it was
            // paused, or it will be tried again.
            | (Running, Running | Queued | Done | Failed | Cancelled)
            // A user has it tried again.
            | (Failed | Expired, Queued) => true,
            (Queued, Queued | Done) | (Running | Failed | Done | Cancelled | Expired, _) => false,
        }
    }

    /// Whether nothing more happens to a job in this state by itself.
    pub fn is_finished(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Cancelled | Self::Expired
        )
    }

    /// The name as users read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StateName {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions() {
        // Rows: from; columns: to, both in the order of `ALL`.
        let table = [
            "-R-FCE", // queued
            "QRDFC-", // running
            "------", // done
            "Q-----", // failed
            "------", // cancelled
            "Q-----", // expired
        ];
        for (row, from) in table.iter().zip(StateName::ALL) {
            for (cell, to) in row.chars().zip(StateName::ALL) {
                assert_eq!(from.may_become(to), cell != '-', "{from} -> {to}");
            }
        }
    }

    #[test]
    fn names_survive_the_round_trip() {
        for state in StateName::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert!("Queued".parse::<StateName>().is_err());
    }
}
