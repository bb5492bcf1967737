//! `bench transformer`: seconds and peak memory of one forward of the transformer, without a checkpoint.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    str::FromStr,
    time::Instant,
};

use anyhow::Context as _;
use clap::Subcommand;
use framepack_engine::{
    device,
    transformer::{Conditioning, Config, Context, PackedTransformer},
    weights::ModelSource,
};
use serde::Serialize;
use tch::{Cuda, Device, Kind, Tensor};

use super::{
    forward::transformer::Arguments,
    options::{DeviceName, Dtype},
    tensors::{self, Inputs},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// One forward of the packed transformer
    Transformer(TransformerArgs),
}

#[derive(Debug, clap::Args)]
struct TransformerArgs {
    /// The component's folder, or random:SEED:CONFIGDIR
    #[arg(long, value_name = "DIR")]
    model: ModelSource,
    /// Size of the video in pixels
    #[arg(long, value_name = "HEIGHTxWIDTH", default_value = "608x640")]
    size: Size,
    /// Valid text tokens (of 512)
    #[arg(long, default_value_t = 60)]
    text_tokens: i64,
    /// Measured runs, after one that is not
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Arguments from a file as `forward transformer` takes it, instead of random ones
    #[arg(long, value_name = "FILE", conflicts_with_all = ["size", "text_tokens"])]
    inputs: Option<PathBuf>,
    /// Safetensors file to write the result to
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Type of weights and computation [default: bf16 on CUDA, f32 on the CPU]
    #[arg(long)]
    dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Measurement {
    /// Making or reading the weights.
    load_secs: f64,
    /// Median of `runs_secs`.
    forward_secs: f64,
    runs_secs: Vec<f64>,
    /// Peak of torch's allocator during the forwards, weights included; absent on the CPU.
    peak_bytes: Option<u64>,
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let Subject::Transformer(args) = &self.subject;
        let measurement = device::catch(|| Ok(args.measure()))??;
        let mut stdout = io::stdout().lock();
        if args.json {
            writeln!(stdout, "{}", serde_json::to_string(&measurement)?)?;
        } else {
            let Measurement {
                load_secs,
                forward_secs,
                peak_bytes,
                ..
            } = measurement;
            let peak = peak_bytes.map_or("not counted".into(), |b| {
                format!("{:.2} GiB", b as f64 / 1_073_741_824.0)
            });
            writeln!(
                stdout,
                "load {load_secs:.2} s, forward {forward_secs:.3} s, peak memory {peak}"
            )?;
        }
        Ok(())
    }
}

impl TransformerArgs {
    fn measure(&self) -> anyhow::Result<Measurement> {
        let _no_grad = tch::no_grad_guard();
        let device = self.device.open()?;
        let kind = Dtype::or_default(self.dtype, device, Kind::BFloat16);
        let arguments = match &self.inputs {
            Some(path) => Arguments::read(&Inputs::read(path, kind, device)?)?,
            None => self.random_arguments(&Config::read(self.model.config_dir())?, (kind, device)),
        };
        let timed = |work: &mut dyn FnMut() -> anyhow::Result<()>| {
            let start = Instant::now();
            work()?;
            synchronize(device);
            anyhow::Ok(start.elapsed().as_secs_f64())
        };

        let mut model = None;
        let load_secs = timed(&mut || {
            model = Some(PackedTransformer::open(&self.model, device, kind)?);
            Ok(())
        })?;
        let model = model.context("the model was loaded")?;
        let mut sample = model.forward(&arguments.as_inputs());
        synchronize(device);

        device::reset_peak(device);
        let mut runs_secs = Vec::new();
        for _ in 0..self.runs {
            runs_secs.push(timed(&mut || {
                sample = model.forward(&arguments.as_inputs());
                Ok(())
            })?);
        }
        let peak_bytes = device::peak_bytes(device);
        if let Some(path) = &self.output {
            tensors::write(path, vec![("sample", sample)])?;
        }
        Ok(Measurement {
            load_secs,
            forward_secs: median(&runs_secs),
            runs_secs,
            peak_bytes,
        })
    }

    /// Arguments in the sizes of FramePack's first sections: nine latent frames, 2 + 2 + 16 clean ones.
    fn random_arguments(&self, config: &Config, options: (Kind, Device)) -> Arguments {
        let (kind, device) = options;
        let Size {
            height_px,
            width_px,
        } = self.size;
        let scalar = |value: f64| Tensor::full([1], value, (Kind::Float, device));
        let frames = |first: i64, count: i64| {
            let latents = Tensor::randn(
                [1, config.in_channels, count, height_px / 8, width_px / 8],
                options,
            );
            let indices =
                Tensor::arange_start(first, first + count, (Kind::Int64, device)).unsqueeze(0);
            (latents, indices)
        };
        let (hidden_states, latent_indices) = frames(1, 9);
        let valid = Tensor::arange(512, (Kind::Int64, device))
            .lt(self.text_tokens)
            .unsqueeze(0);
        Arguments {
            hidden_states,
            timestep: scalar(872.0),
            guidance: Some(scalar(9984.0)),
            conditioning: Conditioning {
                encoder_hidden_states: Tensor::randn(
                    [1, 512, config.text_embed_dim],
                    (kind, device),
                ),
                encoder_attention_mask: Some(valid),
                pooled_projections: Tensor::randn(
                    [1, config.pooled_projection_dim],
                    (kind, device),
                ),
                image_embeddings: Some(Tensor::randn(
                    [1, 729, config.image_proj_dim],
                    (kind, device),
                )),
            },
            context: Context {
                latent_indices,
                clean: Some(frames(0, 2)),
                clean_2x: Some(frames(11, 2)),
                clean_4x: Some(frames(13, 16)),
            },
        }
    }
}

/// Height and width in pixels, multiples of 16.
#[derive(Debug, Clone, Copy)]
struct Size {
    height_px: i64,
    width_px: i64,
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |text: &str| text.parse().ok().filter(|px: &i64| *px > 0 && px % 16 == 0);
        text.split_once('x')
            .and_then(|(h, w)| {
                Some(Self {
                    height_px: side(h)?,
                    width_px: side(w)?,
                })
            })
            .ok_or("expected HEIGHTxWIDTH, both multiples of 16")
    }
}

/// Waits for the device to finish what was given to it.
fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}

/// The middle value, of an even number the lower one.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}
