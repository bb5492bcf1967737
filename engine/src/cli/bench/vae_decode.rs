//! `bench vae-decode`: latents of a section to frames, on a card of any size.

use clap::ValueEnum;
use framepack_engine::{
    SpaceTiling,
    plan::{Budget, decode_scheme, decode_scheme_on, place_decoding},
    space_tiling_on,
    vae::{Config, DecodeCost, DecodeScheme, FinestLevel, TimeTiling, Vae},
    weights::ModelSource,
};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::{
    card::Card,
    inputs::VideoSize,
    measure::{median, print, timed},
};
use crate::cli::{
    options::{DeviceName, Dtype, ModelKernels},
    vae_flags::VaeFlags,
};

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
    #[command(flatten)]
    flags: VaeFlags,
    #[command(flatten)]
    kernels: ModelKernels,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
    /// New latent frames of a chunk, latent frames before them, and frames of the cross-fade; null for the reference's
    /// tiles.
    chunk_latent_frames: Option<u16>,
    /// Latent frames that go through the finest level at a time; null for all.
    step_latent_frames: Option<u8>,
    /// Those of the first chunk, which has no context.
    first_chunk_latent_frames: Option<u16>,
    context_latent_frames: Option<u8>,
    blend_frames: Option<u8>,
    /// Side of spatial tiles in pixels.
    tile_px: Option<i64>,
    /// How much is computed, whole frames in the reference's temporal tiles being 1.
    work: f64,
    /// What the plan said, context and libraries included.
    planned_peak_bytes: Option<u64>,
    /// Most that the process had on the device, context and libraries included.
    measured_peak_bytes: Option<u64>,
}

/// A chunk, or a whole section.
#[expect(clippy::struct_field_names, reason = "they are in frames")]
struct Piece {
    latent_frames: u16,
    context_latent_frames: u8,
    blend_frames: u8,
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
        let space = match (self.tiles, &budget) {
            (Tiles::Space, _) => SpaceTiling::Reference,
            (Tiles::Plan, Some(budget)) => space_tiling_on(budget.total_bytes),
            (Tiles::Time, _) | (Tiles::Plan, None) => SpaceTiling::Whole,
        };
        let config = Config::read(self.model.config_dir())?;
        let vae = Vae::open(&self.model, device, kind)?;
        let vae = self.kernels.vae(vae, device);
        let default = self.cost(&config, kind, space);
        let room = budget.as_ref().zip(card.occupied_bytes());
        let cost = DecodeCost {
            scheme: self.scheme(default, room, device),
            ..default
        };
        let scheme = cost.scheme;
        let planned_peak_bytes = match room {
            Some((budget, weights_bytes)) => {
                let peak_bytes = place_decoding(cost.working_bytes(), weights_bytes, budget)?;
                Some(budget.context_bytes + peak_bytes)
            }
            None => None,
        };

        let latents = self.latents(&config, (kind, device));
        let decode = || timed(device, || Ok(vae.decode(&latents, scheme).size()[2]));
        let (_, frames) = decode()?;
        let runs = (0..self.runs).map(|_| Ok(decode()?.0));
        let runs_secs = runs.collect::<anyhow::Result<Vec<f64>>>()?;
        let chunk = match scheme.time {
            TimeTiling::Reference => None,
            TimeTiling::Chunked(chunk) => Some(Piece {
                latent_frames: chunk.latent_frames().into(),
                context_latent_frames: chunk.context_latent_frames(),
                blend_frames: chunk.blend_frames(),
            }),
            TimeTiling::Whole => Some(Piece {
                latent_frames: self.latent_frames,
                context_latent_frames: 0,
                blend_frames: 0,
            }),
        };
        Ok(Measurement {
            decode_secs: median(&runs_secs),
            runs_secs,
            latent_frames: self.latent_frames,
            frames,
            spatial_tiles: scheme.space != SpaceTiling::Whole,
            chunk_latent_frames: chunk.as_ref().map(|chunk| chunk.latent_frames),
            step_latent_frames: match scheme.finest {
                FinestLevel::AtOnce => None,
                FinestLevel::InSteps(step) => Some(step),
            },
            first_chunk_latent_frames: chunk.as_ref().map(|chunk| {
                let length = chunk.latent_frames + u16::from(chunk.context_latent_frames);
                length.min(self.latent_frames)
            }),
            context_latent_frames: chunk.as_ref().map(|chunk| chunk.context_latent_frames),
            blend_frames: chunk.map(|chunk| chunk.blend_frames),
            tile_px: scheme.space.tile_px(),
            work: cost.work() as f64 / self.cost(&config, kind, SpaceTiling::Whole).work() as f64,
            planned_peak_bytes,
            measured_peak_bytes: card.peak_bytes(),
        })
    }

    /// As a job would on this card, except that tiles in space that were asked for stay.
    fn scheme(
        &self,
        default: DecodeCost<'_>,
        room: Option<(&Budget, u64)>,
        device: Device,
    ) -> DecodeScheme {
        let settings = self.flags.settings();
        match room {
            Some(room) if self.tiles == Tiles::Plan => decode_scheme_on(settings, default, room),
            _ => decode_scheme(settings, default, device),
        }
    }

    fn cost<'a>(&self, config: &'a Config, kind: Kind, space: SpaceTiling) -> DecodeCost<'a> {
        DecodeCost {
            config,
            kind,
            size_px: [self.size.width_px, self.size.height_px].map(|side| side as u64),
            latent_frames: u64::from(self.latent_frames),
            scheme: space.into(),
            kernels: self.kernels.kernel_use(),
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
