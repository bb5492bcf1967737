//! `bench vae-encode`: one picture to its latent.

use framepack_engine::{SpaceTiling, vae::Vae, weights::ModelSource};
use serde::Serialize;
use tch::{Kind, Tensor};

use super::{
    card::Card,
    inputs::VideoSize,
    measure::{median, print, timed},
};
use crate::cli::options::{DeviceName, Dtype, ModelKernels};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component's folder, or random:SEED:CONFIGDIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "random:1:bench/full-size/vae"
    )]
    model: ModelSource,
    /// Size of the picture in pixels
    #[arg(long, value_name = "HEIGHTxWIDTH", default_value = "608x640")]
    size: VideoSize,
    #[command(flatten)]
    kernels: ModelKernels,
    /// Measured runs, after one for warming up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
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

/// What was measured. Memory is null on the CPU.
#[derive(Debug, Serialize)]
struct Measurement {
    /// Median of `runs_secs`.
    encode_secs: f64,
    runs_secs: Vec<f64>,
    /// Most that the process had on the device, context and libraries included.
    measured_peak_bytes: Option<u64>,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let card = Card::new(device, None)?;
        let kind = Dtype::or_default(self.dtype, device, Kind::Half);
        let vae = Vae::open(&self.model, device, kind)?;
        let vae = self.kernels.vae(vae, device);
        let VideoSize {
            height_px,
            width_px,
        } = self.size;
        let picture = Tensor::zeros([1, 3, 1, height_px, width_px], (kind, device));
        let encode = || timed(device, || Ok(vae.encode(&picture, SpaceTiling::Whole)));
        encode()?;
        let runs = (0..self.runs).map(|_| Ok(encode()?.0));
        let runs_secs = runs.collect::<anyhow::Result<Vec<f64>>>()?;
        let measurement = Measurement {
            encode_secs: median(&runs_secs),
            runs_secs,
            measured_peak_bytes: card.peak_bytes(),
        };
        print(&measurement, self.json)
    }
}
