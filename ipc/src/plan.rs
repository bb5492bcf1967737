//! What a job would take, before it begins. Part of [`crate::control`].

use framepack_jobs::MemoryPlan;
use serde::{Deserialize, Serialize};

use crate::estimate::Prediction;

/// What a job would take. In JSON, `time` stands beside the memory's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobPlan {
    /// Of memory, as a worker has worked it out.
    #[serde(flatten)]
    pub memory: MemoryPlan,
    /// Of time, on the same device, if it began now; `None`: the daemon does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Prediction>,
}
