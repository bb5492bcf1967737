//! `framepack-worker`: renders jobs for framepackd, and opens every part of the engine to inspection.

mod cli;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::Parser;
use framepack_engine::{Error, device, weights::WeightsError};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    device::log_panics();

    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error);
            ExitCode::FAILURE
        }
    }
}

/// Says what failed, and for the engine's own errors also their code and what to do.
fn report(error: anyhow::Error) {
    // Loading a component by itself ends in an error of its own type.
    let error = error
        .downcast::<WeightsError>()
        .map_or_else(|other| other, |e| Error::from(e).into());
    let Some(failure) = error.downcast_ref::<Error>().map(Error::failure) else {
        return tracing::error!("{error:#}");
    };
    tracing::error!("{} ({})", failure.message, failure.code);
    if let Some(hint) = failure.hint {
        tracing::error!("hint: {hint}");
    }
}
