//! Where a job's weights will be, and how much memory each phase will take: what the worker plans before the
//! first step.
//!
//! Plain data, as [`crate::RenderPlan`]. Bytes of the device are those of tensors, as the worker's allocator
//! counts them, except where it says otherwise.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Phase;

/// The memory of one job on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPlan {
    /// The device and who uses it.
    pub device: DeviceMemory,
    /// The transformer's weights.
    pub transformer: TransformerMemory,
    /// How the text encoder is run.
    pub text_encoder: EncoderPlacement,
    /// How the VAE cuts frames.
    pub vae_tiles: VaeTiles,
    /// Weights of the transformer that leave the device while frames are decoded, and come back after it.
    pub evicted_bytes: u64,
    /// Most device memory of each phase, in the order of the phases.
    pub phases: Vec<PhasePeak>,
    /// The largest of them.
    pub peak_bytes: u64,
    /// What is worth knowing, each a sentence.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// A device and who uses its memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMemory {
    /// `cpu` or `cuda:N`.
    pub label: String,
    /// The device's name, for people.
    pub name: String,
    /// What it has.
    pub total_bytes: u64,
    /// What the worker can have: what nobody uses, and what it holds already.
    pub free_bytes: u64,
    /// What other processes use.
    pub foreign_bytes: u64,
    /// What the worker needs before the first tensor: CUDA context, kernels, workspaces of libraries.
    pub context_bytes: u64,
}

/// Where the transformer's weights are while it samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformerMemory {
    /// Tokens of a section and its context, with the longest prompt.
    pub tokens: u64,
    /// What one evaluation takes beside the weights.
    pub activation_bytes: u64,
    /// What is kept free beside the weights: the activations, or more where the settings say so.
    pub preserve_bytes: u64,
    /// Weights that are always on the device, those of other models among them.
    pub fixed_bytes: u64,
    /// Weights that are evaluated once a job, for all steps, and do not stay on the device.
    pub hoisted_away_bytes: u64,
    /// Blocks.
    pub blocks: u32,
    /// Those that stay on the device.
    pub resident_blocks: u32,
    /// Their weights.
    pub resident_bytes: u64,
    /// Slots that the other blocks pass through; 0 where all stay.
    pub slots: u32,
    /// Size of the slots together.
    pub slots_bytes: u64,
    /// Weights that are copied to the device in every step.
    pub streamed_bytes: u64,
    /// Page-locked host memory that they wait in.
    pub arena_bytes: u64,
    /// Those of them for which there is no room there, so that they are read from their files in every step.
    pub staged_bytes: u64,
}

/// How an encoder is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderPlacement {
    /// All its weights are on the device at once.
    Resident,
    /// Its layers pass through slots.
    Streamed,
    /// A placement of a later version.
    #[serde(other)]
    Unknown,
}

/// How the VAE cuts frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaeTiles {
    /// Along time only.
    Time,
    /// Along time, height and width, which blends the seams.
    TimeAndSpace,
    /// Tiles of a later version.
    #[serde(other)]
    Unknown,
}

/// Most device memory of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhasePeak {
    /// The phase.
    pub phase: Phase,
    /// Its most bytes.
    pub bytes: u64,
}

/// A number of bytes for people, in binary units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    /// `1.38 GiB`, or `60.5 MiB` below a tenth of one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.0 as f64 / f64::from(1 << 20);
        let text = if mib < 102.4 {
            format!("{mib:.1} MiB")
        } else {
            format!("{:.2} GiB", mib / 1024.0)
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_that_suits_them() {
        assert_eq!(Bytes(0).to_string(), "0.0 MiB");
        assert_eq!(Bytes(60 << 20).to_string(), "60.0 MiB");
        assert_eq!(format!("{:>9}", Bytes(3 << 29)), " 1.50 GiB");
    }
}
