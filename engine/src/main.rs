//! `framepack-worker`: renders jobs for framepackd, and opens every part of the engine to inspection.

mod cli;

use std::{panic, process::ExitCode};

use clap::Parser;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    // Torch's failures arrive as panics and are reported as errors by whoever catches them.
    panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));

    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            if let Some(error) = error.downcast_ref::<framepack_engine::Error>() {
                let failure = error.failure();
                tracing::error!("{}: {}", failure.code, failure.hint.unwrap_or_default());
            }
            ExitCode::FAILURE
        }
    }
}
