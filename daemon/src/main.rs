//! `framepackd --config FILE`: runs in the foreground, logs to the journal or to stderr, stops cleanly on SIGTERM and SIGINT.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use framepack_config::{Config, Layer, Load};
use tokio::signal::unix::{SignalKind, signal};

/// Renders FramePack videos from job files dropped into a folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Configuration file (YAML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Read the configuration, say whether it is valid, and exit.
    #[arg(long)]
    check_config: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when stderr is gone.
            let _ = writeln!(io::stderr(), "framepackd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let config = load(&cli)?;
    if cli.check_config {
        return Ok(writeln!(io::stdout(), "{}: valid", cli.config.display())?);
    }
    framepackd::start_log(&config.paths.state);
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    framepackd::run(config, stop).await
}

fn load(cli: &Cli) -> Result<Config> {
    let environment: Vec<(String, String)> = std::env::vars().collect();
    let current_dir = std::env::current_dir().context("finding the working directory")?;
    let config = Config::load(Load {
        file: &cli.config,
        environment: &environment,
        flags: Layer::default(),
        current_dir: &current_dir,
    })?;
    Ok(config)
}
