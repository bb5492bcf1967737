//! `bench SUBJECT`: seconds and memory of one part of the work, without a model's files where none are at hand.

mod card;
mod inputs;
mod job;
mod load;
mod measure;
mod profile;
mod section;
mod transformer;
mod vae_decode;
mod vae_encode;

use clap::Subcommand;
use framepack_engine::device;

use super::options::AttentionSwitches;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    switches: AttentionSwitches,
    #[command(subcommand)]
    subject: Benchmark,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// Forward passes of the packed transformer
    Transformer(Box<transformer::Args>),
    /// One section from noise to latents, with a step cache
    Section(Box<section::Args>),
    /// Loading, up to the first forward pass
    Load(load::Args),
    /// Decoding a section's latents to frames
    VaeDecode(vae_decode::Args),
    /// Encoding a picture
    VaeEncode(vae_encode::Args),
    /// Whole jobs, one after the other
    Job(job::Args),
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.switches.turn();
        let _no_grad = tch::no_grad_guard();
        device::catch(|| {
            Ok(match &self.subject {
                Benchmark::Transformer(args) => args.run(),
                Benchmark::Section(args) => args.run(),
                Benchmark::Load(args) => args.run(),
                Benchmark::VaeDecode(args) => args.run(),
                Benchmark::VaeEncode(args) => args.run(),
                Benchmark::Job(args) => args.run(),
            })
        })?
    }
}
