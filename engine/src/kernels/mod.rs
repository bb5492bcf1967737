//! Operations of the models that are more than one of torch's: what a device could do in one pass over memory.
//!
//! Each is a file with the function that layers call, which chooses by the device: a kernel of the CUDA source in its
//! folder, or torch's operations, which stay for all other devices and as what the source is tested against.

mod check;
mod comparison;
pub(crate) mod frames;
mod kept;
mod launch;
pub(crate) mod tokens;
mod variant;

use serde::{Deserialize, Serialize};

pub use self::{check::check, launch::Kernels};

/// Whether models are computed by the engine's kernels, which round otherwise than the reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelUse {
    /// In fewer passes: by kernels where the device has them, else by torch's operations that do the same.
    #[default]
    On,
    /// By torch's operations in the reference's order, bit for bit.
    Off,
}

impl KernelUse {
    /// Of what was noted before there were kernels.
    pub(crate) fn of_earlier_versions() -> Self {
        Self::Off
    }
}
