//! `bench load`: from a model's files to the first forward.

use std::time::Instant;

use framepack_engine::{
    nn::attention::Backend,
    offload::{Memory, MemoryOptions},
    transformer::{Config, PackedTransformer, StepCache},
    weights::ModelSource,
};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::{
    inputs::{RandomInputs, VideoSize},
    measure::{print, synchronize},
};
use crate::cli::{
    options::{DeviceName, Dtype, ModelKernels},
    split::Switch,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component's folder, or random:SEED:CONFIGDIR
    #[arg(long, value_name = "DIR")]
    model: ModelSource,
    #[command(flatten)]
    kernels: ModelKernels,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Dtype of weights and computation [default: bf16 on CUDA, f32 on the CPU]
    #[arg(long)]
    dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

/// Seconds since the start, and what is on the host then.
#[derive(Debug, Serialize)]
struct Measurement {
    /// Files mapped and checked, small weights on the device.
    opened_secs: f64,
    /// What depends on timestep, prompt and image is evaluated, and the first block is given to the device.
    first_forward_started_secs: f64,
    /// The first forward is over; with it all weights are on the device.
    first_forward_done_secs: f64,
    all_resident_secs: f64,
    /// Host memory for transfers.
    host_bytes: u64,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let kind = Dtype::or_default(self.dtype, device, Kind::BFloat16);
        let config = Config::read(self.model.config_dir())?;
        let inputs = RandomInputs {
            size: VideoSize::default(),
            text_tokens: 60,
        };
        let arguments = inputs.random(&config, (kind, device));
        warm_up(kind, device);

        let start = Instant::now();
        let elapsed = || start.elapsed().as_secs_f64();
        let memory = Memory::new(device, MemoryOptions::default());
        let model = PackedTransformer::open(&self.model, &memory, kind)?;
        let model = self.kernels.transformer(model, device);
        let opened_secs = elapsed();
        let step = arguments.condition(&model, Switch::On);
        synchronize(device);
        let first_forward_started_secs = elapsed();
        let context = arguments.pack(&model);
        let inputs = arguments.with((&step, &context), Backend::Torch);
        let _ = model.forward(&inputs, &mut StepCache::default());
        synchronize(device);
        let first_forward_done_secs = elapsed();
        print(
            &Measurement {
                opened_secs,
                first_forward_started_secs,
                first_forward_done_secs,
                all_resident_secs: first_forward_done_secs,
                host_bytes: memory.staging_bytes(),
            },
            self.json,
        )
    }
}

/// Makes the device's context and its libraries' handles, which belong to no model.
fn warm_up(kind: Kind, device: Device) {
    let x = Tensor::ones([256, 256], (kind, device));
    let _ = x.matmul(&x);
    synchronize(device);
}
