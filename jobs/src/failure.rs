//! Why a job failed: a class that policy goes by, a stable code, and words for the user.

use serde::{Deserialize, Serialize};

/// What kind of failure it was. Retry policy goes by the class, never by the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureClass {
    /// The job's own files are at fault: syntax, ranges, an image that does not decode.
    Input,
    /// The job asks for what the configuration forbids.
    Policy,
    /// Device or host memory ran out.
    Oom,
    /// NaN or Inf in latents or frames, or a video that is not what was asked for.
    Numerics,
    /// The worker stopped making progress.
    Hang,
    /// The device or its driver failed.
    Gpu,
    /// Reading or writing files failed.
    Io,
    /// A user cancelled the job.
    Cancelled,
    /// A fault of ours, or of the installation (a missing or corrupt checkpoint, a dead worker).
    Internal,
}

impl FailureClass {
    /// The class as files and reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Policy => "policy",
            Self::Oom => "oom",
            Self::Numerics => "numerics",
            Self::Hang => "hang",
            Self::Gpu => "gpu",
            Self::Io => "io",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

/// Code of a failure for want of room on a disk: the job waits for it.
pub const DISK_FULL: &str = "FP6020";

/// A failure as it is stored, reported and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What policy goes by.
    pub class: FailureClass,
    /// Stable code, `FP` and four digits.
    pub code: String,
    /// What failed, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
