//! `bench SUBJECT`: seconds and memory of one part of the work, without a checkpoint where none is at hand.

mod card;
mod inputs;
mod job;
mod load;
mod transformer;
mod vae_decode;

use std::{
    io::{self, Write as _},
    time::Instant,
};

use clap::Subcommand;
use framepack_engine::device;
use serde::Serialize;
use tch::{Cuda, Device};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    subject: Benchmark,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// Forward passes of the packed transformer
    Transformer(Box<transformer::Args>),
    /// Loading, up to the first forward pass
    Load(load::Args),
    /// Decoding a section's latents to frames
    VaeDecode(vae_decode::Args),
    /// Whole jobs, one after the other
    Job(job::Args),
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let _no_grad = tch::no_grad_guard();
        device::catch(|| {
            Ok(match &self.subject {
                Benchmark::Transformer(args) => args.run(),
                Benchmark::Load(args) => args.run(),
                Benchmark::VaeDecode(args) => args.run(),
                Benchmark::Job(args) => args.run(),
            })
        })?
    }
}

/// Prints a measurement: JSON on one line, or each field on a line of its own.
fn print(measurement: &impl Serialize, json: bool) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let value = serde_json::to_value(measurement)?;
    if json {
        writeln!(stdout, "{value}")?;
    } else if let Some(fields) = value.as_object() {
        for (name, value) in fields {
            writeln!(stdout, "{name:<24} {value}")?;
        }
    }
    Ok(())
}

/// Seconds that `work` takes, until the device has done it.
fn timed<T>(device: Device, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(f64, T)> {
    synchronize(device);
    let start = Instant::now();
    let result = work()?;
    synchronize(device);
    Ok((start.elapsed().as_secs_f64(), result))
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
