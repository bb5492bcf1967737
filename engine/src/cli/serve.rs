//! `serve`: what framepackd starts, one for each device.

use std::{
    io::{self, BufReader},
    os::fd::AsFd,
    path::PathBuf,
};

use anyhow::Context as _;
use framepack_engine::worker;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: String,
    /// The daemon's state directory, for the device's lock
    #[arg(long, value_name = "DIR")]
    state_dir: PathBuf,
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let replies = private_stdout().context("setting up stdout")?;
        let orders = BufReader::new(io::stdin());
        worker::serve(&self.device, &self.state_dir, orders, replies)?;
        Ok(())
    }
}

/// Takes stdout for the protocol alone: whatever libraries print from now on goes to stderr.
fn private_stdout() -> io::Result<std::fs::File> {
    let private = io::stdout().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdout(io::stderr())?;
    Ok(private.into())
}
