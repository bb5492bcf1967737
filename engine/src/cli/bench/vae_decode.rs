//! `bench vae-decode`: latents of a section to frames, on a card of any size.

use clap::ValueEnum;
use framepack_engine::{
    plan::place_decoding,
    tiling_on,
    vae::{Config, Decoding, Tiling, Vae},
    weights::ModelSource,
};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::{
    card::Card,
    inputs::VideoSize,
    measure::{median, print, timed},
};
use crate::cli::options::{DeviceName, Dtype};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component's folder, or random:SEED:CONFIGDIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "random:1:bench/full-size/vae"
    )]
    model: ModelSource,
    /// Size of the video in pixels
    #[arg(long, value_name = "HEIGHTxWIDTH", default_value = "608x640")]
    size: VideoSize,
    /// Latent frames to decode at once: two windows of nine
    #[arg(long, default_value_t = 18, value_parser = clap::value_parser!(u16).range(1..))]
    latent_frames: u16,
    /// How the frames are cut
    #[arg(long, value_enum, default_value_t = Tiles::Plan)]
    tiles: Tiles,
    /// Measured runs, after one for warming up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Run as if on a card of G GiB, including the process's own CUDA context (CUDA only)
    #[arg(long, value_name = "G")]
    card_gib: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Dtype of weights and computation [default: f16 on CUDA, f32 on the CPU]
    #[arg(long)]
    dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

/// Who says how the frames are cut.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tiles {
    /// Temporal tiles only
    Time,
    /// Temporal and spatial tiles
    Space,
    /// As for a job on this card
    Plan,
}

/// What was measured. Fields of device memory are null on the CPU.
#[derive(Debug, Serialize)]
struct Measurement {
    /// Median of `runs_secs`.
    decode_secs: f64,
    runs_secs: Vec<f64>,
    latent_frames: u16,
    frames: i64,
    spatial_tiles: bool,
    /// What the plan said, context and libraries included.
    planned_peak_bytes: Option<u64>,
    /// Most that the process had on the device, context and libraries included.
    measured_peak_bytes: Option<u64>,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let card = Card::new(device, self.card_gib)?;
        let kind = Dtype::or_default(self.dtype, device, Kind::Half);
        print(&self.measure(&card, (kind, device))?, self.json)
    }

    fn measure(&self, card: &Card, (kind, device): (Kind, Device)) -> anyhow::Result<Measurement> {
        let budget = card.budget();
        let tiling = match (self.tiles, &budget) {
            (Tiles::Space, _) => Tiling::TimeAndSpace,
            (Tiles::Plan, Some(budget)) => tiling_on(budget.total_bytes),
            (Tiles::Time, _) | (Tiles::Plan, None) => Tiling::Time,
        };
        let config = Config::read(self.model.config_dir())?;
        let vae = Vae::open(&self.model, device, kind)?;
        let planned_peak_bytes = match (&budget, card.occupied_bytes()) {
            (Some(budget), Some(weights_bytes)) => {
                let decoding = self.decoding(&config, kind, tiling);
                let peak_bytes = place_decoding(decoding.working_bytes(), weights_bytes, budget)?;
                Some(budget.context_bytes + peak_bytes)
            }
            _ => None,
        };

        let latents = self.latents(&config, (kind, device));
        let decode = || timed(device, || Ok(vae.decode(&latents, tiling).size()[2]));
        let (_, frames) = decode()?;
        let runs = (0..self.runs).map(|_| Ok(decode()?.0));
        let runs_secs = runs.collect::<anyhow::Result<Vec<f64>>>()?;
        Ok(Measurement {
            decode_secs: median(&runs_secs),
            runs_secs,
            latent_frames: self.latent_frames,
            frames,
            spatial_tiles: tiling == Tiling::TimeAndSpace,
            planned_peak_bytes,
            measured_peak_bytes: card.peak_bytes(),
        })
    }

    fn decoding<'a>(&self, config: &'a Config, kind: Kind, tiling: Tiling) -> Decoding<'a> {
        Decoding {
            config,
            kind,
            size_px: [self.size.width_px, self.size.height_px].map(|side| side as u64),
            latent_frames: u64::from(self.latent_frames),
            tiling,
        }
    }

    /// Random latents, (1, C, T, h, w), about as large as unscaled ones are.
    fn latents(&self, config: &Config, options: (Kind, Device)) -> Tensor {
        let ratio = config.spatial_compression_ratio;
        let VideoSize {
            height_px,
            width_px,
        } = self.size;
        let (height, width) = (height_px / ratio, width_px / ratio);
        let frames = i64::from(self.latent_frames);
        Tensor::randn([1, config.latent_channels, frames, height, width], options)
    }
}
