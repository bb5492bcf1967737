//! `bench job`: whole jobs one after the other in one process, as a worker renders them.

use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use framepack_engine::{ModelOptions, pipeline::Pipeline, progress::Update};
use framepack_ipc::worker::{DecodedTiles, Extent, Phase, Precaution, RenderOutput, RenderRequest};
use framepack_jobs::{DecodeOverlap, Guidance, JobId, Model, Settings, settings::VAE_OVERLAP};
use image::{Rgb, RgbImage};
use serde::Serialize;
use tch::Device;

use super::{
    card::Card,
    measure::{print, synchronize},
};
use crate::cli::options::{Attention, DeviceName, KernelSwitch};

const PROMPT: &str =
    "The man dances energetically, leaping mid-air with fluid arm swings and quick footwork.";
const OTHER_PROMPT: &str = "A woman reads a letter by the window while rain runs down the glass.";
const SEED: u64 = 31337;
const CRF: u8 = 16;
/// Shorter than a section, so one section.
const SHORT_SECS: f64 = 0.1;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Model bundle; with --random-seed, only its configuration files are read
    #[arg(long, value_name = "DIR", default_value = "bench/full-size")]
    bundle: PathBuf,
    /// Generate all weights from a seed
    #[arg(long, value_name = "SEED")]
    random_seed: Option<u64>,
    /// Bundle to take the tokenizers from if --bundle has none
    #[arg(long, value_name = "DIR")]
    tokenizers: Option<PathBuf>,
    /// Run as if on a card of G GiB, including the process's own CUDA context (CUDA only)
    #[arg(long, value_name = "G")]
    card_gib: Option<f64>,
    /// Denoising steps per section [default: the bundle's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Length of the second job's video, in seconds; the others are one section long
    #[arg(long, value_name = "S", default_value_t = 3.6)]
    secs: f64,
    /// Side of the square with about the video's area, in pixels; 640 means 608x640 [default: the bundle's]
    #[arg(long, value_name = "BUCKET")]
    size: Option<u32>,
    /// Whether sections are decoded while the next one is sampled, as `vae.overlap` of a job
    #[arg(long, value_name = "HOW", value_parser = ["auto", "off"], default_value = "auto")]
    overlap: String,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    kernels: KernelSwitch,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

/// What was measured: three jobs with the same image, the second with the first's prompt, the third with another.
/// Fields of the device are null on the CPU.
#[derive(Debug, Serialize)]
struct Measurement {
    /// From the request to the first sampling step, all that comes before it done.
    first_job_first_step_secs: f64,
    second_job_first_step_secs: f64,
    other_prompt_first_step_secs: f64,
    /// From the second job's request to its finished video.
    job_secs: f64,
    sampling_secs: f64,
    decode_secs: f64,
    /// Of its sections' time, what the device waited between sampling and decoding.
    section_idle_share: Option<f64>,
    /// The same with the time in which it decoded and sampled nothing.
    section_not_sampling_share: Option<f64>,
    /// What of its decoding nobody waited for.
    hidden_secs: Option<f64>,
    /// Whether the second job's plan had that, and why, or why not.
    overlap: Option<DecodeOverlap>,
    /// Tiles along time of the second job, and those that were decoded with the section before.
    decoded_tiles: Option<DecodedTiles>,
    /// SHA-256 of the second job's video.
    stream_sha256: Option<String>,
    /// The second job's.
    sections: u32,
    steps: u32,
    width_px: u32,
    height_px: u32,
    /// What the second job's plan said, context and libraries included.
    planned_peak_bytes: Option<u64>,
    /// Most that the process had on the device in any job, context and libraries included.
    measured_peak_bytes: Option<u64>,
}

/// A job that was rendered.
#[derive(Debug)]
struct Timed {
    first_step_secs: f64,
    job_secs: f64,
    output: RenderOutput,
    measured_peak_bytes: Option<u64>,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let card = Card::new(device, self.card_gib)?;
        let options = ModelOptions {
            synthesise: self.random_seed,
            attention: self.attention.asked(),
            attention_mode: self.attention.mode(),
            ballast_bytes: card.ballast_bytes(),
            kernels: self.kernels.kernel_use(),
            ..ModelOptions::default()
        };
        let scratch = tempfile::tempdir().context("making a temporary folder")?;
        let mut bench = Bench {
            pipeline: Pipeline::new(device, options),
            request: self.request(scratch.path())?,
            device,
            card,
        };
        print(&bench.measure(self.secs)?, self.json)
    }

    /// What all jobs have in common.
    fn request(&self, scratch: &Path) -> anyhow::Result<RenderRequest> {
        let image = scratch.join("start.png");
        start_image()
            .save(&image)
            .context("writing the start image")?;
        let mut settings = Settings::default();
        settings.set(VAE_OVERLAP.key, self.overlap.as_str().into());
        Ok(RenderRequest {
            job: JobId(1),
            name: "bench".into(),
            bundle: self.bundle(scratch)?,
            f1_bundle: None,
            model: Model::Original,
            image_name: image.clone(),
            image,
            prompt: PROMPT.into(),
            negative_prompt: String::new(),
            seed: SEED,
            length_secs: SHORT_SECS,
            steps: self.steps,
            guidance: Guidance::default(),
            bucket: self.size,
            latent_window: None,
            crf: CRF,
            settings,
            own: vec![],
            output: scratch.join("video.mp4"),
            work_dir: scratch.into(),
            rung: 0,
            host_rung: 0,
            precaution: Precaution::None,
            extent: Extent::Whole,
        })
    }

    /// The bundle, or one of links to the bundle's components and the tokenizers.
    fn bundle(&self, scratch: &Path) -> anyhow::Result<PathBuf> {
        let Some(tokenizers) = &self.tokenizers else {
            return Ok(self.bundle.clone());
        };
        let linked = scratch.join("bundle");
        fs::create_dir(&linked)?;
        let components = fs::read_dir(&self.bundle)
            .with_context(|| format!("reading {}", self.bundle.display()))?
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let tokenizers = ["tokenizer", "tokenizer_2"].map(|name| tokenizers.join(name));
        for path in components.iter().chain(&tokenizers) {
            let target = path
                .canonicalize()
                .with_context(|| format!("looking for {}", path.display()))?;
            let link = linked.join(path.file_name().context("a component has a name")?);
            symlink(&target, &link)
                .with_context(|| format!("linking {} to {}", link.display(), target.display()))?;
        }
        Ok(linked)
    }
}

/// Jobs in one process.
struct Bench {
    pipeline: Pipeline,
    request: RenderRequest,
    device: Device,
    card: Card,
}

impl Bench {
    fn measure(&mut self, secs: f64) -> anyhow::Result<Measurement> {
        let first = self.render(PROMPT, SHORT_SECS)?;
        let second = self.render(PROMPT, secs)?;
        let other = self.render(OTHER_PROMPT, SHORT_SECS)?;
        let plan = &second.output.plan;
        let idle = second.output.device_idle;
        let memory_plan = second.output.memory_plan.as_ref();
        Ok(Measurement {
            first_job_first_step_secs: first.first_step_secs,
            second_job_first_step_secs: second.first_step_secs,
            other_prompt_first_step_secs: other.first_step_secs,
            job_secs: second.job_secs,
            sampling_secs: second.phase_secs(Phase::Sample),
            decode_secs: second.phase_secs(Phase::Decode),
            section_idle_share: idle.map(|idle| idle.share()),
            section_not_sampling_share: idle.map(|idle| idle.not_sampling_share()),
            hidden_secs: idle.map(|idle| idle.hidden_secs),
            overlap: memory_plan.and_then(|plan| plan.overlap.clone()),
            decoded_tiles: second.output.decoded_tiles,
            stream_sha256: second.output.stream_sha256.clone(),
            sections: plan.sections,
            steps: plan.steps,
            width_px: plan.width_px,
            height_px: plan.height_px,
            planned_peak_bytes: second.planned_peak_bytes(),
            measured_peak_bytes: [first, second, other]
                .iter()
                .filter_map(|job| job.measured_peak_bytes)
                .max(),
        })
    }

    fn render(&mut self, prompt: &str, length_secs: f64) -> anyhow::Result<Timed> {
        // A folder of its own: in that of the job before, it would continue that one.
        let work_dir = tempfile::tempdir_in(&self.request.work_dir)?;
        let request = RenderRequest {
            prompt: prompt.into(),
            length_secs,
            work_dir: work_dir.path().into(),
            ..self.request.clone()
        };
        let device = self.device;
        let start = Instant::now();
        let mut first_step_secs = None;
        let output = self.pipeline.render(&request, &mut |update| {
            if let Update::Progress(progress) = update
                && progress.phase == Phase::Sample
                && first_step_secs.is_none()
            {
                synchronize(device);
                first_step_secs = Some(start.elapsed().as_secs_f64());
            }
            ControlFlow::Continue(())
        })?;
        Ok(Timed {
            first_step_secs: first_step_secs.context("the job sampled nothing")?,
            job_secs: start.elapsed().as_secs_f64(),
            measured_peak_bytes: self.card.peak_of_job(output.peak_device_bytes),
            output,
        })
    }
}

impl Timed {
    /// Of a job on a device with memory of its own.
    fn planned_peak_bytes(&self) -> Option<u64> {
        self.measured_peak_bytes?;
        let plan = self.output.memory_plan.as_ref()?;
        Some(plan.device.context_bytes + plan.peak_bytes)
    }

    fn phase_secs(&self, phase: Phase) -> f64 {
        let phases = self.output.phases.iter();
        phases
            .filter(|time| time.phase == phase)
            .map(|time| time.secs)
            .sum()
    }
}

/// A picture of the size that FramePack makes of nearly square ones.
fn start_image() -> RgbImage {
    RgbImage::from_fn(640, 608, |x, y| {
        Rgb([
            (x * 255 / 639) as u8,
            (y * 255 / 607) as u8,
            ((x ^ y) & 255) as u8,
        ])
    })
}
