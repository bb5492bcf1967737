//! `framepack-worker`: renders jobs for framepackd, and opens every part of the engine to inspection.

mod cli;

use std::{panic, process::ExitCode};

use clap::Parser;
use framepack_engine::Error;
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
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Says what failed, and for the engine's own errors also their code and what to do.
fn report(error: &anyhow::Error) {
    let Some(failure) = error.downcast_ref::<Error>().map(Error::failure) else {
        return tracing::error!("{error:#}");
    };
    tracing::error!("{} ({})", failure.message, failure.code);
    if let Some(hint) = failure.hint {
        tracing::error!("hint: {hint}");
    }
}
