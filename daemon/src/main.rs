//! `framepackd --config FILE`: runs in the foreground, logs to the journal or to stderr, stops cleanly on SIGTERM and
//! SIGINT. `framepackd state …` looks after the store of jobs while no daemon runs.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use framepack_config::{Config, Layer, Load};
use framepack_ipc::{ErrorBody, ErrorEnvelope, Exit};
use framepack_jobs::Code;
use framepackd::{StartError, StateAction};
use tokio::signal::unix::{SignalKind, signal};

/// Where an installation has it.
const DEFAULT_CONFIG: &str = "/etc/framepackd/framepackd.yaml";

/// Renders FramePack videos from job files dropped into a folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Configuration file (YAML).
    #[arg(long, value_name = "FILE", global = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,

    /// Read the configuration, say whether it is valid, and exit.
    #[arg(long)]
    check_config: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check and repair the store of jobs, or take it elsewhere, while no daemon runs. `framepackctl state` does it
    /// while one does. Exit codes are those of framepackctl.
    State {
        #[command(subcommand)]
        action: StateAction,
    },
}

// Two, however many processors there are: nothing here computes, and each thread has a stack and a heap of its own.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match &cli.command {
        Some(Command::State { action }) => state(&cli, action).await,
        None => run(&cli).await.map(|()| Exit::Ok),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            let error = told(&error);
            let exit = match cli.command {
                Some(_) => error.class.into(),
                None => Exit::Failure,
            };
            // Nothing is left to do when stderr is gone.
            let _ = ErrorEnvelope::from(error).tell(&mut io::stderr());
            exit.into()
        }
    }
}

/// The error with its code and what to do about it.
fn told(error: &anyhow::Error) -> ErrorBody {
    match (error.downcast_ref::<StartError>(), error.downcast_ref()) {
        (Some(error), _) => error.into(),
        (None, Some(error)) => ErrorBody::clone(error),
        (None, None) => ErrorBody::new(Code::INTERNAL, format!("{error:#}")),
    }
}

async fn run(cli: &Cli) -> Result<()> {
    let config = load(cli)?;
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

async fn state(cli: &Cli, action: &StateAction) -> Result<Exit> {
    let (lines, exit) = framepackd::state(&load(cli)?, action).await?;
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    Ok(exit)
}

fn load(cli: &Cli) -> Result<Config> {
    let environment: Vec<(String, String)> = std::env::vars().collect();
    let current_dir = std::env::current_dir().context("finding the working directory")?;
    let config = Config::load(Load {
        file: &cli.config,
        environment: &environment,
        flags: Layer::default(),
        current_dir: &current_dir,
    });
    Ok(config.map_err(StartError::Config)?)
}
