//! What is told of a GPU, and how the process that tells it is asked.

use serde::{Deserialize, Serialize};

/// One GPU. What it does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Gpu {
    /// The driver's number for it.
    pub(crate) index: u32,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) total_bytes: u64,
    pub(crate) used_bytes: u64,
    /// What processes other than the daemon's workers hold; `None` where processes can't be told apart.
    pub(crate) foreign_bytes: Option<u64>,
    pub(crate) temperature_celsius: Option<f64>,
    pub(crate) power_watts: Option<f64>,
    /// Since the driver was loaded.
    pub(crate) energy_joules: Option<f64>,
}

/// A question, as a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    /// The daemon and its workers; `None` where the driver numbers processes differently.
    pub(super) ours: Option<Vec<u32>>,
}

/// Its answer, as a line of JSON.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Gpus(Vec<Gpu>),
    /// There is no library, and why not.
    NoLibrary(String),
}
