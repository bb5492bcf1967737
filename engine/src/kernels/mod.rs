//! Operations of the models that are more than one of torch's: what a device could do in one pass over memory.
//!
//! Each is a file with the function that layers call, written in torch's operations. Where a CUDA source stands beside
//! it, the function chooses by the device; torch's operations stay, for all other devices and as what the source is
//! tested against.

pub(crate) mod frames;
mod gate;
mod launch;
mod modulate;
mod rotate;

use serde::{Deserialize, Serialize};

pub use self::{frames::check, launch::Kernels};
pub(crate) use self::{gate::add_gated, modulate::modulated_norm, rotate::rotate_pairs};

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
