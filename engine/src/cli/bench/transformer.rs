//! `bench transformer`: forwards of the packed transformer on a card of any size.

use std::{path::PathBuf, time::Instant};

use framepack_engine::{
    device,
    nn::attention::{Backend, Resolved},
    transformer::{Config, PackedTransformer, Profile, Run, StepCache, TransformerInputs},
    weights::{ModelSource, NotASource},
};
use serde::Serialize;
use tch::{Device, Kind};

use super::{
    card::Card,
    inputs::RandomInputs,
    measure::{median, print, timed},
    profile::{PartTime, Rates, Work, parts},
};
use crate::cli::{
    forward::transformer::Arguments,
    options::{Attention, DeviceName, Dtype, ModelKernels},
    split::{Hoist, SplitOptions},
    tensors,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component's folder, random:SEED:CONFIGDIR, or random:SEED for the sizes in bench/full-size/transformer
    #[arg(long, value_name = "DIR", value_parser = model_or_seed)]
    model: ModelSource,
    #[command(flatten)]
    inputs: RandomInputs,
    /// Measured runs, after one for warming up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Run as if on a card of G GiB, including the process's own CUDA context (CUDA only)
    #[arg(long, value_name = "G")]
    card_gib: Option<f64>,
    /// Limit on host memory for page-locked copies of streamed blocks, in GiB [default: what is available]
    #[arg(long, value_name = "G")]
    host_budget_gib: Option<f64>,
    #[command(flatten)]
    split: SplitOptions,
    #[command(flatten)]
    hoist: Hoist,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    kernels: ModelKernels,
    /// Measure the parts of one more forward, and compare them with what the device reaches
    #[arg(long)]
    profile: bool,
    /// Dtype of the stored weights
    #[arg(long, value_name = "TYPE", conflicts_with = "dtype")]
    storage: Option<Dtype>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Read the arguments from a file, as for `forward transformer`, instead of generating random ones
    #[arg(long = "inputs", value_name = "FILE", conflicts_with_all = ["size", "text_tokens"])]
    inputs_file: Option<PathBuf>,
    /// Safetensors file to write the result to
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Dtype of weights and computation [default: bf16 on CUDA, f32 on the CPU]
    #[arg(long)]
    dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

/// A seed alone is for the published model's sizes, as the repository has them.
pub(super) fn model_or_seed(text: &str) -> Result<ModelSource, NotASource> {
    let seed = text.strip_prefix("random:").map(str::parse::<u64>);
    match seed {
        Some(Ok(seed)) => Ok(ModelSource::Synthesised {
            seed,
            config_dir: "bench/full-size/transformer".into(),
        }),
        _ => text.parse(),
    }
}

/// What was measured. Fields of device memory are null on the CPU.
#[derive(Debug, Serialize)]
struct Measurement {
    /// Opening the files, making or copying what waits on the host.
    load_secs: f64,
    /// Evaluating what depends on timestep, prompt and image only.
    hoist_secs: f64,
    /// The first forward, which brings the resident blocks.
    first_forward_secs: f64,
    /// Median of `runs_secs`.
    forward_secs: f64,
    runs_secs: Vec<f64>,
    /// Median time until all work of a forward was given to the device.
    launch_secs: f64,
    /// Where the time of one more forward went.
    profile: Option<Vec<PartTime>>,
    /// What the profile is compared with.
    rates: Option<Rates>,
    /// What computed the attention.
    attention_backend: Backend,
    /// What the mode could not have.
    attention_reason: Option<String>,
    blocks: usize,
    resident_blocks: usize,
    slots: usize,
    /// Sent to the device in one forward.
    streamed_bytes: u64,
    /// Host memory of streamed blocks and of the transfers.
    host_bytes: u64,
    /// What the plan said, context and libraries included.
    planned_peak_bytes: Option<u64>,
    /// Most that the process had on the device, context and libraries included.
    measured_peak_bytes: Option<u64>,
    /// Of that, what is not torch's.
    libraries_bytes: Option<u64>,
    /// Peak of torch's tensors, weights included.
    peak_bytes: Option<u64>,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let card = Card::new(device, self.card_gib)?;
        let kind = Dtype::or_default(self.storage.or(self.dtype), device, Kind::BFloat16);
        let arguments = match &self.inputs_file {
            Some(path) => Arguments::read(&tensors::Inputs::read(path, kind, device)?)?,
            None => (self.inputs).random(&Config::read(self.model.config_dir())?, (kind, device)),
        };
        print(&self.measure(&card, &arguments, (kind, device))?, self.json)
    }

    fn measure(
        &self,
        card: &Card,
        arguments: &Arguments,
        (kind, device): (Kind, Device),
    ) -> anyhow::Result<Measurement> {
        let class =
            Config::read(self.model.config_dir())?.attention_class(kind, arguments.run().tokens);
        let Resolved {
            backend, reason, ..
        } = self.attention.resolve(device, &class)?;
        let run = Run {
            attention: backend.memory(device, &class)?,
            kernels: self.kernels.kernel_use(),
            ..arguments.run()
        };
        let memory = self.split.memory(device);
        let (load_secs, (model, planned_peak_bytes)) = timed(device, || {
            let model = PackedTransformer::open(&self.model, &memory, kind)?;
            let planned_peak_bytes = card.place(&model, &run, &self.split, self.host_budget_gib)?;
            Ok((model, planned_peak_bytes))
        })?;
        let model = self.kernels.transformer(model, device);
        let blocks = model.blocks();
        let hoisting = self.hoist.switch();
        let (hoist_secs, step) = timed(device, || Ok(arguments.condition(&model, hoisting)))?;
        let context = arguments.pack(&model);
        let inputs = arguments.with((&step, &context), backend);
        let forward = || {
            timed(device, || {
                let start = Instant::now();
                let sample = model.forward(&inputs, &mut StepCache::default());
                Ok((start.elapsed().as_secs_f64(), sample))
            })
        };

        let (first_forward_secs, (_, mut sample)) = forward()?;
        let sent_bytes = blocks.transferred_bytes();
        let (mut runs_secs, mut launch_secs) = (Vec::new(), Vec::new());
        for _ in 0..self.runs {
            let (secs, (launch, again)) = forward()?;
            runs_secs.push(secs);
            launch_secs.push(launch);
            sample = again;
        }
        let streamed_bytes = (blocks.transferred_bytes() - sent_bytes) / u64::from(self.runs);
        if let Some(path) = &self.output {
            tensors::write(path, vec![("sample", sample)])?;
        }
        // The profile's measurements have memory of their own.
        let (measured_peak_bytes, peak_bytes) = (card.peak_bytes(), device::peak_bytes(device));
        let rates = self
            .profile
            .then(|| Rates::measure((kind, device)))
            .transpose()?;
        let profile = rates.as_ref().map(|rates| {
            let profile = Profile::new(device);
            let inputs = TransformerInputs {
                profile: Some(&profile),
                ..inputs
            };
            let (secs, _) = timed(device, || {
                Ok(model.forward(&inputs, &mut StepCache::default()))
            })?;
            let work = Work::new(&Config::read(self.model.config_dir())?, &run, kind);
            anyhow::Ok(parts(&profile, secs, &work, rates))
        });
        let profile = profile.transpose()?;
        let residency = blocks.residency();
        Ok(Measurement {
            load_secs,
            hoist_secs,
            first_forward_secs,
            forward_secs: median(&runs_secs),
            runs_secs,
            launch_secs: median(&launch_secs),
            profile,
            rates,
            attention_backend: backend,
            attention_reason: reason,
            blocks: blocks.len(),
            resident_blocks: residency.residents(),
            slots: residency.slots,
            streamed_bytes,
            host_bytes: blocks.host_bytes() + memory.staging_bytes(),
            planned_peak_bytes,
            measured_peak_bytes,
            libraries_bytes: card.libraries_bytes(),
            peak_bytes,
        })
    }
}
