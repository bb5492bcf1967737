//! `models`: left to a program of its own, so that framepackctl needs neither a network nor a model's layout.

use std::{os::unix::process::CommandExt, process::Command};

use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::Code;

use crate::{
    cli::Models,
    failure::Failure,
    output::{Format, Output},
    program,
};

/// The program, as git names its commands.
const PROGRAM: &str = "framepack-models";

/// Becomes that program, which is told how to print. Only returns where that fails.
pub(crate) fn run(arguments: &Models, output: &Output) -> Result<Exit, Failure> {
    // It has no fields that could be chosen.
    output.check_fields(&[])?;
    let program = program::find(PROGRAM).map_err(Failure::new)?;
    let mut command = Command::new(&program);
    // Its help shows what was typed.
    command.arg0("framepackctl models");
    if output.format == Format::Json {
        command.arg("--json");
    }
    let error = command.args(&arguments.arguments).exec();
    let message = format!("starting {}: {error}", program.display());
    Err(Failure::new(ErrorBody::new(Code::PROGRAM_MISSING, message)))
}
