//! Messages between the daemon and one worker: one JSON object a line.
//!
//! The daemon writes [`ToWorker`] to the worker's stdin and reads [`FromWorker`] from its stdout.
//! A worker renders one job at a time; end-of-file on its stdin means: exit at once.

use std::path::PathBuf;

pub use framepack_jobs::{
    Attention, ChosenBy, DecodedTiles, DeviceIdle, MemoryPlan, MemoryUse, Phase, PhaseTime,
    Progress, RenderOutput, RenderPlan, Resumed, RungTaken, Verified,
};
use framepack_jobs::{Failure, Guidance, JobId, Model, Settings, settings::Lack};
use serde::{Deserialize, Serialize};

/// Version of this protocol; a worker that announces another one is not used.
pub const WORKER_PROTOCOL: u32 = 5;

/// Names of checkpoints in a job's work folder begin with this. They are no use any more once the job has ended.
pub const CHECKPOINT_PREFIX: &str = "checkpoint-";

/// What the daemon tells a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// Render this job, from where an earlier run of it in the same work folder ended. Answered by `Started`, any
    /// number of `Progress`, `Checkpoint`, `Kept` and `Rung`, and one of `Done`, `Failed`, `Cancelled`, `Suspended`.
    Render(Box<RenderRequest>),
    /// Stop the job at its next step; ignored when it is not the one being rendered.
    Cancel {
        /// The job to stop.
        job: JobId,
    },
    /// Stop working on the job for a while; ignored when it is not the one being rendered.
    Pause {
        /// The job.
        job: JobId,
        /// Where, and how.
        at: PauseAt,
    },
    /// Go on with the job after `Pause`; takes a pause back that has not begun.
    Resume {
        /// The job.
        job: JobId,
    },
    /// Say where this job's weights would be and how much memory it would take, as the device is now. Answered by
    /// `Planned`: at once, or between two steps of the job being rendered.
    Plan {
        /// Number of the question, for the answer.
        ask: u64,
        /// What would be rendered.
        request: Box<RenderRequest>,
    },
    /// Give up memory. Carried out between jobs, and not answered.
    Cool {
        /// How much of it.
        to: Temperature,
    },
}

/// The answer to a [`RenderRequest`] that is only inspected, by a program that renders nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// The job.
    pub job: JobId,
    /// What its report will warn of: prompts that are not read to their end, what of the picture is not shown.
    pub warnings: Vec<String>,
    /// How it will fail, whatever else happens: its picture can't be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Where a job is to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseAt {
    /// In place, before its next step, memory kept. Answered by `Paused`; what else is asked is still answered.
    Step,
    /// Where nothing is lost, by ending the run: between two sections, or between sampling and decoding one. Answered by
    /// `Suspended`, or by `Done` if no such place was left to come.
    Section,
    /// Before its next step, by ending the run; another one continues with that step. Answered by `Suspended`, or by
    /// `Done` if only the video was left to be written.
    StepEnd,
}

/// What a worker keeps of its models between jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temperature {
    /// Everything stays as the last job left it.
    Hot,
    /// Nothing stays on the device; what host memory holds stays.
    Warm,
    /// No model stays.
    Cold,
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
    /// The path by which the user knows it, for messages.
    pub image_name: PathBuf,
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
    /// Settings of the table that have no field here, where they differ from their defaults.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// Keys of `settings` that the job itself sets: it is refused where the device can't do what one of them asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<String>,
    /// The video's final path; its folder exists. Written under a temporary name beside it, then renamed.
    pub output: PathBuf,
    /// Folder for what the job leaves while it runs (previews, checkpoints); exists. A later run of the job that
    /// finds its checkpoints here continues it.
    pub work_dir: PathBuf,
    /// Rung of the out-of-memory ladder to start at; 0 = as planned.
    #[serde(default)]
    pub rung: u32,
    /// How often the page-locked host memory that may be used is halved: the kernel ended earlier runs for want of memory.
    #[serde(default)]
    pub host_rung: u32,
    /// What is to be done otherwise than last time.
    #[serde(default)]
    pub precaution: Precaution,
    /// How much of the video is wanted.
    #[serde(default, skip_serializing_if = "Extent::is_whole")]
    pub extent: Extent,
}

/// How much of a job's video is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// The sections whose checkpoints are in the work folder: they are decoded, and nothing is sampled. Answered by
    /// `Cancelled` if there are none.
    FinishedSections,
}

impl Extent {
    fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

/// What a job's repetition does otherwise, because the last attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precaution {
    /// Nothing.
    #[default]
    None,
    /// Not-a-number came out: the VAE computes in f32, attention by another kernel.
    Numerics,
}

/// What a worker tells the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// First message: libtorch is loaded, the device answers, the lock is held.
    Ready(WorkerInfo),
    /// First and last message: the device can't be used. The process ends.
    Unready {
        /// Why.
        failure: Failure,
    },
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
    /// The job stands still before a step, on request.
    Paused {
        /// The job.
        job: JobId,
    },
    /// The job goes on after `Paused`.
    Resumed {
        /// The job.
        job: JobId,
    },
    /// The run ended at a section's checkpoint, on request; another run continues there.
    Suspended {
        /// The job.
        job: JobId,
    },
    /// What was rendered so far is on the disk and outlives the worker.
    Checkpoint {
        /// The job.
        job: JobId,
        /// Sections that need not be rendered again.
        sections_done: u32,
    },
    /// Steps or frames are on the disk and need not be made again.
    Kept {
        /// The job.
        job: JobId,
        /// Sections whose frames are there.
        sections: u32,
        /// Steps of the next one.
        steps: u32,
        /// Pieces of its frames.
        pieces: u32,
    },
    /// Memory ran out; the section is repeated with less.
    Rung {
        /// The job.
        job: JobId,
        /// Number of the rung, from 1.
        rung: u32,
        /// Its name.
        name: String,
        /// What ran out, and where.
        reason: String,
    },
    /// The answer to `Plan`.
    Planned {
        /// Number of the question.
        ask: u64,
        /// The plan, or why there is none.
        outcome: PlanOutcome,
    },
}

/// What became of a question for a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanOutcome {
    /// The job fits.
    Plan(Box<MemoryPlan>),
    /// It does not, or can't be rendered for another reason.
    Refused(Failure),
}

/// Who the worker is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Seconds that it took to prepare for the first job; `None`: it prepares nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared_secs: Option<f64>,
    /// What the device can't do for any job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Lack>,
}
