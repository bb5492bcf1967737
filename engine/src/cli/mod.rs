//! The worker's command line: one file a command.

mod bench;
mod doctor;
mod forward;
mod inspect;
mod options;
mod preprocess;
mod serve;
mod split;
mod step_cache_flags;
mod synth;
mod tensors;
mod tokenize;
mod vae_flags;

use clap::{Parser, Subcommand};

/// Renders FramePack videos for framepackd. The other commands run one part of the engine by itself.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one component on tensors from a file
    Forward(forward::Args),
    /// Measure one part of the engine
    Bench(bench::Args),
    /// Check that a device supports what the engine needs
    Doctor(doctor::Args),
    /// Say what is not shown or not read of jobs that framepackd sends on stdin
    Inspect,
    /// Fit an image to a bucket, as for a job's start image
    Preprocess(preprocess::Args),
    /// Render jobs that framepackd sends on stdin
    Serve(serve::Args),
    /// Write synthesised weights to files, for other programs to load
    Synth(synth::Args),
    /// Print a prompt's token ids as JSON
    Tokenize(tokenize::Args),
}

impl Cli {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match &self.command {
            Command::Forward(args) => args.run(),
            Command::Bench(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Inspect => inspect::run(),
            Command::Preprocess(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Synth(args) => args.run(),
            Command::Tokenize(args) => args.run(),
        }
    }
}
