//! A configuration that the daemon has read again. Part of [`crate::control`].

use std::path::PathBuf;

use framepack_jobs::settings::SettingChange;
use serde::{Deserialize, Serialize};

/// What came of it: all of it is taken over, as far as that is possible without a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The file that was read.
    pub file: PathBuf,
    /// Every key that has another value than the daemon ran with, in the order of the documented file.
    pub changes: Vec<SettingChange>,
    /// What an operator should know: old names of keys, settings that contradict each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}
