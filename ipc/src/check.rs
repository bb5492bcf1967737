//! What `doctor` looks at, and how it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub state: CheckState,
    /// What was found.
    pub message: String,
    /// What to do about it; empty where nothing is wrong.
    pub fix: String,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Jobs are rendered, but not as well as they could be.
    Warning,
    /// Jobs will fail or wait.
    Failed,
    /// A state of a later version.
    #[serde(other)]
    Unknown,
}

impl Check {
    /// A thing in this state.
    pub fn new(
        state: CheckState,
        name: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            state,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// A thing as it should be.
    pub fn ok(name: impl Into<String>, found: impl fmt::Display) -> Self {
        Self::new(CheckState::Ok, name, found.to_string(), "")
    }

    /// A thing that is wrong.
    pub fn failed(
        name: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(CheckState::Failed, name, message, fix)
    }
}
