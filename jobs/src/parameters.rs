//! Parameters that a job file, a render request and a report share.

use serde::{Deserialize, Serialize};

/// Which FramePack checkpoint and section order renders the job.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// FramePack (inverted anti-drifting): the end of the video first, sections joined backwards.
    #[default]
    Original,
    /// FramePack-F1: forward, each section continues the last.
    F1,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Original, Self::F1];

    /// Its name in a job file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::F1 => "f1",
        }
    }

    /// The model with this name in a job file.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "original" => Some(Self::Original),
            "f1" => Some(Self::F1),
            _ => None,
        }
    }
}

/// Guidance of the denoiser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guidance {
    /// Distilled guidance scale, an input of the transformer. 1.0 to 32.0.
    pub distilled: f64,
    /// Real classifier-free guidance scale. 1.0 (off) to 32.0; any other value doubles the cost.
    pub cfg: f64,
    /// Rescale of the guided velocity to the standard deviation of the conditional one. 0.0 to 1.0.
    pub rescale: f64,
}

impl Default for Guidance {
    fn default() -> Self {
        Self {
            distilled: 10.0,
            cfg: 1.0,
            rescale: 0.0,
        }
    }
}
