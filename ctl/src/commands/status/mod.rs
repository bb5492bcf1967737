//! `status`: the farm on one screen, or some jobs with their last log lines.

mod farm;
mod jobs;
mod plain;

use framepack_ipc::Exit;

use crate::{cli::Status, daemon::Daemon, failure::Failure, output::Output};

pub(crate) fn run(arguments: Status, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let terminal = output.terminal.clone();
    if arguments.jobs.is_empty() {
        farm::run(daemon, &terminal, output)?;
    } else {
        jobs::run(arguments.jobs, daemon, &terminal, output)?;
    }
    Ok(Exit::Ok)
}
