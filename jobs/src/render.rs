//! What the worker says about a render: its plan, where it is, and what came of it.
//!
//! Plain data: part of the job's record and of the messages between daemon and worker.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{MemoryPlan, MemoryUse, Partial, StepCacheUse, StepTimeline};

/// What a request turned out to mean: everything decided before the first step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RenderPlan {
    /// Width of the video in pixels.
    pub width_px: u32,
    /// Height of the video in pixels.
    pub height_px: u32,
    /// Number of sections.
    pub sections: u32,
    /// Steps in each section.
    pub steps: u32,
    /// Latent frames a section.
    pub latent_window: u32,
    /// Frames of the video.
    pub frames: u32,
    /// Its duration in seconds, at 30 frames a second.
    pub secs: f64,
}

/// Number of sections nearest to a length (halves to the even number), at least 1. A latent frame makes four frames, of
/// which there are 30 a second.
pub fn sections_in(secs: f64, latent_window: u32) -> u32 {
    let sections = secs * 30.0 / (f64::from(latent_window) * 4.0);
    sections.round_ties_even().max(1.0) as u32
}

/// Phase of a job, in the order in which they occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Models are being loaded.
    Load,
    /// The prompt is being encoded.
    Text,
    /// The start image is being encoded.
    Image,
    /// Latents of a section are being sampled.
    Sample,
    /// Latents of a section are being decoded to frames.
    Decode,
    /// Frames are being written as H.264.
    Encode,
    /// The written video is being read back.
    Verify,
}

impl Phase {
    /// The phase's name in figures and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Text => "text",
            Self::Image => "image",
            Self::Sample => "sample",
            Self::Decode => "decode",
            Self::Encode => "encode",
            Self::Verify => "verify",
        }
    }
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Sections finished, of `sections`.
    pub section: u32,
    /// Number of sections; 0 while it is not known.
    pub sections: u32,
    /// Steps finished in this section, of `steps`.
    pub step: u32,
    /// Steps in each section; 0 while it is not known.
    pub steps: u32,
    /// Which of this section's steps were computed, and which reused something of an earlier one; empty without a step
    /// cache.
    #[serde(default, skip_serializing_if = "StepTimeline::is_empty")]
    pub timeline: StepTimeline,
}

/// A finished job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RenderOutput {
    /// The video's path.
    pub video: PathBuf,
    /// A PNG that shows frames of the whole video side by side, in the job's work folder; empty once that is gone.
    pub contact_sheet: PathBuf,
    /// The plan that was carried out.
    pub plan: RenderPlan,
    /// Size of the file in bytes.
    pub video_bytes: u64,
    /// SHA-256 (hex) of all generated latents as f32 in time order: equal for equal runs.
    pub latents_sha256: String,
    /// SHA-256 (hex) of the video's H.264 samples, in their order in the file: equal for equal videos, whose files differ
    /// in the time at which they were written. `None` in results of versions that did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_sha256: Option<String>,
    /// What was asked for and could not be had, or was changed, each with its reason.
    pub warnings: Vec<String>,
    /// Seconds spent in each phase.
    pub phases: Vec<PhaseTime>,
    /// Device it ran on.
    pub device: String,
    /// Seconds from the job's assignment to a worker to the begin of its first step: models are loaded meanwhile, unless
    /// they are warm. Measured by the daemon.
    #[serde(default)]
    pub time_to_first_step_secs: Option<f64>,
    /// Data type of the transformer: `f32`, `bf16` or `f16`.
    pub dtype: String,
    /// Most device memory that torch had from the driver during the job, the CUDA context aside; `None` on the CPU.
    pub peak_device_bytes: Option<u64>,
    /// What was planned before the first step; its `peak_bytes` is what `peak_device_bytes` was expected to be.
    #[serde(default)]
    pub memory_plan: Option<Box<MemoryPlan>>,
    /// What the memory settings did; `None` in results of versions that did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_use: Option<Box<MemoryUse>>,
    /// How many of the tiles along time were decoded once for two sections; `None` in results of versions that decoded
    /// each of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded_tiles: Option<DecodedTiles>,
    /// How long the device waited between the sections' parts; `None` on the CPU.
    #[serde(default)]
    pub device_idle: Option<DeviceIdle>,
    /// Where an earlier run of the job was continued; `None` = rendered from the start.
    #[serde(default)]
    pub resumed: Option<Resumed>,
    /// What was given up for want of memory, in this order.
    #[serde(default)]
    pub rungs: Vec<RungTaken>,
    /// What computed the transformer's attention; `None` in results of versions that had no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// What its step cache did; `None` without one, and in results of versions that had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_cache: Option<StepCacheUse>,
    /// Keys of settings that did nothing on its device, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inactive: BTreeMap<String, String>,
    /// How the file was read back before it got its name.
    #[serde(default)]
    pub verified: Verified,
    /// Which part of what the job asked for is in the video; `None`: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
}

/// What computed the attention of a job's transformer, and who chose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// `torch` (whichever of its kernels it picks), `cudnn`, `flash`, `memory-efficient` or `math`.
    pub backend: String,
    /// Who chose it.
    pub chosen_by: ChosenBy,
    /// The mode that the job asked for: `auto`, `off`, `standard` or `aggressive`. `None` in results of versions that
    /// had no modes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Why the mode has no effect, or what it could not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who chose an attention backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// The worker, which keeps a choice for its device and jobs of that size.
    Device,
    /// The worker's command line.
    Flag,
    /// The job's setting `attention`.
    Setting,
    /// The earlier run that was continued.
    Checkpoint,
    /// The failure of the last attempt, which produced NaN.
    Precaution,
    /// Somebody whom this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// A run that began with sections of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Sections that were there already.
    pub sections_done: u32,
    /// Whether the latents are those of an uninterrupted run, bit for bit: the same device, versions, data type,
    /// attention, step cache and rung.
    pub is_exact: bool,
    /// What differs, when they need not be.
    pub reason: Option<String>,
}

/// The last rung of the ladder of things that can be given up for want of memory.
pub const LAST_RUNG: u32 = 6;

/// A step down the ladder of things that can be given up for want of memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungTaken {
    /// Its number, from 1; 0 is the plan as it was made.
    pub rung: u32,
    /// Its name.
    pub name: String,
    /// What ran out, and where.
    pub reason: String,
}

/// How a video was read back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// Every frame was decoded by the `ffmpeg` program.
    Ffmpeg,
    /// Every sample was read from the mp4, and none decoded: there was no `ffmpeg`.
    #[default]
    Container,
    /// In a way that this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// Tiles along time of a job's sections, which neighbouring sections may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DecodedTiles {
    /// All that this run joined to frames.
    pub all: u32,
    /// Those of them whose frames the section before had already made, bit for bit.
    pub reused: u32,
}

/// How long a device had nothing to do between the parts of a job's sections: after sampling, before decoding, and
/// between one section's decoding and the next one's sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DeviceIdle {
    /// Seconds that it waited.
    pub idle_secs: f64,
    /// Seconds that it decoded and sampled nothing; 0 in results of versions that did not tell.
    #[serde(default)]
    pub decoding_alone_secs: f64,
    /// Seconds of decoding beside the next section's sampling, which nobody waited for.
    #[serde(default)]
    pub hidden_secs: f64,
    /// Seconds from the begin of the first section to the end of the last, waiting included.
    pub total_secs: f64,
}

impl DeviceIdle {
    /// The part of the time that it waited, 0 to 1.
    pub fn share(&self) -> f64 {
        self.idle_secs / self.total_secs
    }

    /// The part of the time in which it sampled nothing, 0 to 1.
    pub fn not_sampling_share(&self) -> f64 {
        (self.idle_secs + self.decoding_alone_secs) / self.total_secs
    }
}

/// Time spent in one phase, over all sections.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PhaseTime {
    /// The phase.
    pub phase: Phase,
    /// Wall-clock seconds.
    pub secs: f64,
}
