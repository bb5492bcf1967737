//! `completions`: a script for the user's shell.

use std::io::{self, Write};

use clap_complete::{Shell, generate};

use framepack_ipc::Exit;

use crate::{cli::command, failure::Failure};

pub(crate) fn run(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(shell, &mut command(), "framepackctl", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Ok)
}
