//! The commands.

mod advice;
mod fetch;
mod folder;
mod gc;
mod import;
mod installed;
mod ls;
mod ready;
mod verify;

use framepack_ipc::Exit;

use crate::{cli::Command, environment::Environment, failure::Failure, output::Output};

/// Runs a command.
pub(crate) fn run(command: Command, output: &Output) -> Result<Exit, Failure> {
    let environment = Environment::of_process()?;
    match command {
        Command::Fetch(args) => fetch::run(&args, &environment, output),
        Command::Ls(args) => ls::run(&args, &environment, output),
        Command::Verify(args) => verify::run(&args, &environment, output),
        Command::Import(args) => import::run(&args, &environment, output),
        Command::Gc(args) => gc::run(&args, &environment, output),
    }?;
    Ok(Exit::Ok)
}
