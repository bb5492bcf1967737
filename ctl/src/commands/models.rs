//! `models`: left to a program of its own, so that framepackctl needs neither a network nor a model's layout.

use std::{os::unix::process::CommandExt, process::Command};

use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::Code;

use crate::{cli::Models, failure::Failure, program};

/// The program, as git names its commands.
const PROGRAM: &str = "framepack-models";

/// Becomes that program. Only returns where that fails.
pub(crate) fn run(arguments: &Models) -> Result<Exit, Failure> {
    let program = program::find(PROGRAM).map_err(Failure::new)?;
    let error = Command::new(&program).args(&arguments.arguments).exec();
    let message = format!("starting {}: {error}", program.display());
    Err(Failure::new(ErrorBody::new(Code::PROGRAM_MISSING, message)))
}
