//! Messages between the daemon and one worker: one JSON object a line.
//!
//! The daemon writes [`ToWorker`] to the worker's stdin and reads [`FromWorker`] from its stdout.
//! A worker renders one job at a time; end-of-file on its stdin means: exit at once.

use std::path::PathBuf;

use framepack_jobs::{Failure, Guidance, JobId, Model};
use serde::{Deserialize, Serialize};

/// Version of this protocol; a worker that announces another one is not used.
pub const WORKER_PROTOCOL: u32 = 1;

/// What the daemon tells a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// Render this job. Answered by `Started`, any number of `Progress`, and one of `Done`, `Failed`, `Cancelled`.
    Render(Box<RenderRequest>),
    /// Stop the job at its next step; ignored when it is not the one being rendered.
    Cancel {
        /// The job to stop.
        job: JobId,
    },
}

/// One job, resolved: what the worker needs and nothing that it would have to look up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderRequest {
    /// The job's number.
    pub job: JobId,
    /// The job's name, for the video's metadata.
    pub name: String,
    /// Model bundle in the Hub's layout.
    pub bundle: PathBuf,
    /// Bundle that holds the F1 transformer, when it is not `transformer_f1/` of `bundle`.
    pub f1_bundle: Option<PathBuf>,
    /// Checkpoint and section order.
    pub model: Model,
    /// Start image, absolute path.
    pub image: PathBuf,
    /// What should happen.
    pub prompt: String,
    /// What should not; used only when `guidance.cfg` is not 1.
    pub negative_prompt: String,
    /// Seed of the noise.
    pub seed: u64,
    /// Wanted length in seconds; the true one is the nearest whole number of sections.
    pub length_secs: f64,
    /// Denoising steps; `None` = the bundle's default.
    pub steps: Option<u32>,
    /// Guidance scales.
    pub guidance: Guidance,
    /// Bucket (side of the square with about the video's area, in pixels); `None` = the bundle's default.
    pub bucket: Option<u32>,
    /// Latent frames a section; `None` = the bundle's default.
    pub latent_window: Option<u32>,
    /// H.264 constant rate factor, 0 to 51.
    pub crf: u8,
    /// The video's final path; its folder exists. Written under a temporary name beside it, then renamed.
    pub output: PathBuf,
    /// Folder for what the job leaves while it runs (previews); exists.
    pub work_dir: PathBuf,
}

/// What a worker tells the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// First message: libtorch is loaded, the device answers, the lock is held.
    Ready(WorkerInfo),
    /// The request was read and resolved against the bundle.
    Started {
        /// The job.
        job: JobId,
        /// What will be rendered.
        plan: RenderPlan,
    },
    /// Where the job is.
    Progress {
        /// The job.
        job: JobId,
        /// Phase, section, step.
        progress: Progress,
    },
    /// The video is in place, read back and checked.
    Done {
        /// The job.
        job: JobId,
        /// What was made and how.
        output: Box<RenderOutput>,
    },
    /// The job failed; no output was left.
    Failed {
        /// The job.
        job: JobId,
        /// Why.
        failure: Failure,
    },
    /// The job was stopped on request; no output was left.
    Cancelled {
        /// The job.
        job: JobId,
    },
}

/// Who the worker is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// [`WORKER_PROTOCOL`] of the worker.
    pub protocol: u32,
    /// Version of the worker's package.
    pub version: String,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The device's name, for people.
    pub device_name: String,
    /// Total memory of the device, in bytes.
    pub device_total_bytes: u64,
}

/// What a request turned out to mean: everything decided before the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

/// A finished job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderOutput {
    /// The video's path.
    pub video: PathBuf,
    /// A PNG that shows frames of the whole video side by side, in the job's work folder.
    pub contact_sheet: PathBuf,
    /// The plan that was carried out.
    pub plan: RenderPlan,
    /// Size of the file in bytes.
    pub video_bytes: u64,
    /// SHA-256 (hex) of all generated latents as f32 in time order: equal for equal runs.
    pub latents_sha256: String,
    /// What was asked for and could not be had, or was changed, each with its reason.
    pub warnings: Vec<String>,
    /// Seconds spent in each phase.
    pub phases: Vec<PhaseTime>,
    /// Device it ran on.
    pub device: String,
    /// Data type of the transformer: `f32`, `bf16` or `f16`.
    pub dtype: String,
    /// Highest allocation on the device during the job; `None` on the CPU.
    pub peak_device_bytes: Option<u64>,
}

/// Time spent in one phase, over all sections.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PhaseTime {
    /// The phase.
    pub phase: Phase,
    /// Wall-clock seconds.
    pub secs: f64,
}
