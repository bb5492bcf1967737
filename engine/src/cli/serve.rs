//! `serve`: what framepackd starts, one for each device.

use std::{
    io::{self, BufReader},
    os::fd::AsFd,
    path::PathBuf,
};

use anyhow::Context as _;
use framepack_engine::{
    Limits, ModelOptions, SpaceTiling,
    pipeline::Bundles,
    worker::{self, Setup},
};
use framepack_jobs::{
    MemoryAmount, Row,
    settings::{HOST_BUDGET_GB, PRESERVE_GB},
};

use super::{
    options::{Attention, AttentionSwitches, Dtype, KernelSwitch},
    split::Switch,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: String,
    /// The daemon's state directory, for the device's lock, cached embeddings and attention choices
    #[arg(long, value_name = "DIR")]
    state_dir: PathBuf,
    /// Dtype that all models compute in; by default f32 on the CPU, bf16 for the transformer and f16 for the
    /// others on CUDA
    #[arg(long)]
    dtype: Option<Dtype>,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    switches: AttentionSwitches,
    #[command(flatten)]
    kernels: KernelSwitch,
    /// Decode frames in spatial tiles; by default on devices with little memory
    #[arg(long)]
    spatial_tiles: Option<Switch>,
    /// Gigabytes of device memory to keep free beside the transformer's weights, or auto: what a step needs
    #[arg(long, default_value = "auto", value_parser = |text: &str| amount(&PRESERVE_GB, text))]
    preserve_gb: MemoryAmount,
    /// Gigabytes of host memory that may be page-locked, or auto: what is free, minus a margin
    #[arg(long, default_value = "auto", value_parser = |text: &str| amount(&HOST_BUDGET_GB, text))]
    host_budget_gb: MemoryAmount,
    /// Start at once and do everything when it is first needed; off: before the worker is ready, check the device, open
    /// the files of --bundle, read its encoders ahead, and choose what computes the attention
    #[arg(long, default_value = "off")]
    fast_start: Switch,
    /// Model bundle to prepare for; without it nothing is prepared
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Bundle with the F1 transformer, if it is another one
    #[arg(long, value_name = "DIR", requires = "bundle")]
    f1_bundle: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.switches.turn();
        let replies = private_stdout().context("setting up stdout")?;
        let orders = BufReader::new(io::stdin());
        let setup = Setup {
            device: self.device.clone(),
            options: self.model_options(),
            state_dir: self.state_dir.clone(),
            prepare_for: self.prepare_for(),
        };
        worker::serve(&setup, orders, replies)?;
        Ok(())
    }

    fn prepare_for(&self) -> Option<Bundles> {
        let bundle = self.bundle.clone()?;
        (self.fast_start == Switch::Off).then(|| Bundles {
            bundle,
            f1_bundle: self.f1_bundle.clone(),
        })
    }

    fn model_options(&self) -> ModelOptions {
        ModelOptions {
            kind: self.dtype.map(Dtype::kind),
            attention: self.attention.asked(),
            attention_mode: self.attention.mode(),
            kernels: self.kernels.kernel_use(),
            space: self.spatial_tiles.map(|switch| match switch {
                Switch::On => SpaceTiling::Reference,
                Switch::Off => SpaceTiling::Whole,
            }),
            limits: Limits {
                preserve_bytes: self.preserve_gb.bytes(),
                host_budget_bytes: self.host_budget_gb.bytes(),
                ..Limits::default()
            },
            ..ModelOptions::default()
        }
    }
}

/// Takes stdout for the protocol alone: whatever libraries print from now on goes to stderr.
fn private_stdout() -> io::Result<std::fs::File> {
    let private = io::stdout().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdout(io::stderr())?;
    Ok(private.into())
}

/// An amount of memory, as the configuration takes it.
fn amount(row: &Row, text: &str) -> Result<MemoryAmount, String> {
    let value = row.read_text(text);
    value
        .map(|value| MemoryAmount::of(&value))
        .map_err(|mistake| mistake.message)
}
