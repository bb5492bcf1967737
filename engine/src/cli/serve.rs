//! `serve`: what framepackd starts, one for each device.

use std::{
    io::{self, BufReader},
    os::fd::AsFd,
    path::PathBuf,
};

use anyhow::Context as _;
use framepack_engine::{Limits, ModelOptions, Tiling, worker};
use framepack_jobs::{
    MemoryAmount, Row,
    settings::{HOST_BUDGET_GB, PRESERVE_GB},
};

use super::{
    options::{Attention, AttentionSwitches, Dtype},
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
    /// Decode frames in spatial tiles; by default on devices with little memory
    #[arg(long)]
    spatial_tiles: Option<Switch>,
    /// Gigabytes of device memory to keep free beside the transformer's weights, or auto: what a step needs
    #[arg(long, default_value = "auto", value_parser = |text: &str| amount(&PRESERVE_GB, text))]
    preserve_gb: MemoryAmount,
    /// Gigabytes of host memory that may be page-locked, or auto: what is free, minus a margin
    #[arg(long, default_value = "auto", value_parser = |text: &str| amount(&HOST_BUDGET_GB, text))]
    host_budget_gb: MemoryAmount,
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.switches.turn();
        let replies = private_stdout().context("setting up stdout")?;
        let orders = BufReader::new(io::stdin());
        worker::serve(
            &self.device,
            self.model_options(),
            &self.state_dir,
            orders,
            replies,
        )?;
        Ok(())
    }

    fn model_options(&self) -> ModelOptions {
        ModelOptions {
            kind: self.dtype.map(Dtype::kind),
            attention: self.attention.asked(),
            attention_mode: self.attention.mode(),
            tiling: self.spatial_tiles.map(|switch| match switch {
                Switch::On => Tiling::TimeAndSpace,
                Switch::Off => Tiling::Time,
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
