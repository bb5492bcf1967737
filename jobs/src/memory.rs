//! Where a job's weights will be, and how much memory each phase will take: what the worker plans before the
//! first step. And what came of it: what the job's memory settings did.
//!
//! Plain data, as [`crate::RenderPlan`]. Bytes of the device are those of tensors, as the worker's allocator
//! counts them, except where it says otherwise.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Phase;

/// The memory of one job on one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryPlan {
    /// The device and who uses it.
    pub device: DeviceMemory,
    /// The transformer's weights.
    pub transformer: TransformerMemory,
    /// How the text encoder is run.
    pub text_encoder: EncoderPlacement,
    /// How the VAE cuts frames.
    pub vae_tiles: VaeTiles,
    /// How the VAE decodes; `None` in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vae: Option<VaeDecoding>,
    /// Whether a section is decoded while the next one is sampled; `None` in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<DecodeOverlap>,
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
    /// What the step cache keeps on the device while a section is sampled.
    #[serde(default)]
    pub step_cache_bytes: u64,
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

/// How the VAE decodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VaeDecoding {
    /// In which pieces.
    pub mode: VaeMode,
    /// Whether in larger tiles with more overlap, with norms and sums in f32.
    pub quality: bool,
    /// Latent frames that are decoded anew at a time.
    pub chunk_latent_frames: u32,
    /// Of them, those that go through the VAE's finest level at a time; `None` for all.
    #[serde(default)]
    pub step_latent_frames: Option<u32>,
    /// Latent frames before them that are decoded again.
    pub context_latent_frames: u32,
    /// Frames over which neighbours fade.
    pub blend_frames: u32,
    /// Side of spatial tiles in pixels; `None` for whole frames.
    pub tile_px: Option<u32>,
    /// How much is computed, the reference's tiles being 1.
    pub work: f64,
    /// What decoding takes beside the weights.
    pub working_bytes: u64,
    /// Of it, the frames of tiles that the next section has again: they wait for it. 0 where all is decoded anew.
    #[serde(default)]
    pub recurring_bytes: u64,
    /// Where that is from.
    #[serde(default)]
    pub sizes: WorkingSizes,
    /// Who or what decided, in words.
    pub reason: String,
}

/// Whether a section is decoded while the next one is sampled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodeOverlap {
    /// Whether it is.
    pub is_planned: bool,
    /// Why, or why not, in words.
    pub reason: String,
}

/// Where a planned size is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkingSizes {
    /// The program's own tables; so in plans of earlier versions.
    #[default]
    Assumed,
    /// Earlier work of this kind on the same device.
    Measured,
    /// A source of a later version.
    #[serde(other)]
    Unknown,
}

/// In which pieces the VAE decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaeMode {
    /// In the reference's temporal tiles.
    Reference,
    /// Chunk by chunk, each with latent frames before it as context.
    Chunked,
    /// A way of a later version.
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

/// What a job's memory settings did, or why they did nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MemoryUse {
    /// They acted.
    Acted(MemoryActs),
    /// They did nothing, as on a processor.
    Inactive {
        /// Why.
        reason: String,
    },
}

/// What each memory setting of a job did on its device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MemoryActs {
    /// `memory.preserve_gb`: kept free of weights while the transformer sampled; never less than what a step takes.
    pub preserved_bytes: u64,
    /// `memory.load_chunk_mb`: most host memory for weights in transit.
    pub chunk_bytes: u64,
    /// Most host memory that weights in transit really had.
    pub largest_staging_bytes: u64,
    /// Weights that were brought to the device block by block, each time that they were.
    pub brought_bytes: u64,
    /// Those of them that passed through slots, because their blocks do not stay on the device.
    pub streamed_bytes: u64,
    /// `memory.backend`: `v1` or `v2`.
    pub backend: String,
    /// Host memory that was page-locked at the job's end.
    pub page_locked_bytes: u64,
    /// `memory.offload`: `normal` or `aggressive`.
    pub offload: String,
    /// Blocks that left the device between sampling and decoding, over all sections.
    pub offloaded_blocks: u64,
    /// Their weights.
    pub offloaded_bytes: u64,
    /// How often torch's cache was emptied to make room.
    pub cache_clearings: u64,
}

/// How thoroughly weights leave the device between sampling and decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offloading {
    /// Until enough memory is free.
    #[default]
    Normal,
    /// On beyond that, until what is needed is 80 % of what is free, with torch's cache emptied every ten blocks.
    Aggressive,
}

/// How weights travel to the device. It changes the speed and never the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryBackend {
    /// By plain copies from pageable memory, each when it is needed, for which everything waits.
    V1,
    /// From page-locked memory, ahead of the computation and beside it.
    #[default]
    V2,
}

impl Offloading {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Aggressive => "aggressive",
        }
    }

    /// What a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Normal, Self::Aggressive];
        all.into_iter().find(|known| known.as_str() == word)
    }
}

impl MemoryBackend {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// What a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::V1, Self::V2];
        all.into_iter().find(|known| known.as_str() == word)
    }
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
    fn a_report_has_what_was_done_or_the_reason() {
        let inactive = MemoryUse::Inactive {
            reason: "a processor".to_owned(),
        };
        let json = r#"{"reason":"a processor"}"#;
        assert_eq!(serde_json::to_string(&inactive).unwrap(), json);
        assert_eq!(serde_json::from_str::<MemoryUse>(json).unwrap(), inactive);
        let acted = MemoryUse::Acted(MemoryActs {
            backend: "v1".to_owned(),
            page_locked_bytes: 7,
            ..MemoryActs::default()
        });
        let json = serde_json::to_value(&acted).unwrap();
        assert_eq!(
            (&json["backend"], &json["page_locked_bytes"]),
            (&"v1".into(), &7.into())
        );
        assert_eq!(serde_json::from_value::<MemoryUse>(json).unwrap(), acted);
    }

    #[test]
    fn plans_of_other_versions_are_read() {
        let sizes = |json| serde_json::from_str::<WorkingSizes>(json).unwrap();
        assert_eq!(sizes(r#""measured""#), WorkingSizes::Measured);
        assert_eq!(sizes(r#""guessed""#), WorkingSizes::Unknown);
        let earlier = r#"{"mode":"reference","quality":false,"chunk_latent_frames":3,"context_latent_frames":1,
            "blend_frames":4,"tile_px":null,"work":1.0,"working_bytes":7,"reason":"a test"}"#;
        let read: VaeDecoding = serde_json::from_str(earlier).unwrap();
        assert_eq!(read.sizes, WorkingSizes::Assumed);
        assert_eq!(serde_json::to_value(&read).unwrap()["sizes"], "assumed");
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for offloading in [Offloading::Normal, Offloading::Aggressive] {
            assert_eq!(Offloading::from_word(offloading.as_str()), Some(offloading));
        }
        for backend in [MemoryBackend::V1, MemoryBackend::V2] {
            assert_eq!(MemoryBackend::from_word(backend.as_str()), Some(backend));
        }
        assert_eq!(MemoryBackend::from_word("v3"), None);
        assert_eq!(Offloading::from_word("Normal"), None);
    }

    #[test]
    fn bytes_have_the_unit_that_suits_them() {
        assert_eq!(Bytes(0).to_string(), "0.0 MiB");
        assert_eq!(Bytes(60 << 20).to_string(), "60.0 MiB");
        assert_eq!(format!("{:>9}", Bytes(3 << 29)), " 1.50 GiB");
    }
}
