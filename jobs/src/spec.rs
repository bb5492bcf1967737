//! The job file `framepack/v1`: what the user wrote, and the same once it is valid.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Guidance, Model, NameTemplate, Schedule, SeedSpec};

/// Value of `api` in a job file.
pub const API: &str = "framepack/v1";

/// A job file as the user wrote it: every value of the right type and in its range, absent ones `None`.
///
/// Made by [`JobSpec::parse`]; [`JobSpec::validate`] fills in what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobSpec {
    pub(crate) name: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) image: Option<PathBuf>,
    pub(crate) prompt: Option<String>,
    pub(crate) negative_prompt: Option<String>,
    pub(crate) seed: Option<SeedSpec>,
    pub(crate) length_secs: Option<f64>,
    pub(crate) steps: Option<u32>,
    pub(crate) distilled: Option<f64>,
    pub(crate) cfg: Option<f64>,
    pub(crate) rescale: Option<f64>,
    pub(crate) model: Option<Model>,
    pub(crate) bucket: Option<u32>,
    pub(crate) latent_window: Option<u32>,
    pub(crate) output_dir: Option<PathBuf>,
    pub(crate) output_name: Option<NameTemplate>,
    pub(crate) crf: Option<u8>,
    pub(crate) schedule: Schedule,
}

/// What [`JobSpec::validate`] makes of a job file.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The job's name: `name`, or the file's stem.
    pub name: String,
    /// `key` of the file, if it has one; [`Validated::key_for`] is the job's.
    pub key: Option<String>,
    /// What to render.
    pub spec: ValidSpec,
    /// When.
    pub schedule: Schedule,
    /// What is accepted but will not do what the user may expect.
    pub warnings: Vec<String>,
}

/// A job that can be queued. In JSON its keys are those of the job file.
///
/// `None` leaves the choice to the model bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidSpec {
    /// Checkpoint and section order.
    pub model: Model,
    /// Where the video starts.
    pub start: Start,
    /// What should happen.
    pub prompt: String,
    /// What should not; used only when `guidance.cfg` is not 1.
    pub negative_prompt: String,
    /// Where the noise comes from.
    pub seed: SeedSpec,
    /// Wanted length.
    pub length: Length,
    /// Denoising steps, 1 to 100.
    pub steps: Option<u32>,
    /// Guidance scales.
    pub guidance: Guidance,
    /// Size of the video.
    pub size: Size,
    /// Latent frames a section, 1 to 33.
    pub latent_window: Option<u32>,
    /// Where and how the video is written.
    pub output: OutputSpec,
}

/// Where the video starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The start image, as written: absolute, or relative to the job file's folder.
    pub image: PathBuf,
}

/// Wanted length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// Seconds, 1 to 120. The video has the nearest whole number of sections.
    #[serde(rename = "seconds")]
    pub secs: f64,
}

/// Size of the video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Side in pixels of the square with about the video's area; the image's shape decides the rest.
    pub bucket: Option<u32>,
}

/// Where and how the video is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// Folder below the daemon's outputs; empty = the outputs folder itself.
    pub dir: PathBuf,
    /// The file's name without suffix, with `{name}` and `{seed}` open.
    pub name: NameTemplate,
    /// H.264 constant rate factor, 0 to 51.
    pub crf: u8,
}
