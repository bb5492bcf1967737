//! `completions`: a script for the user's shell.

use std::io::{self, Write};

use clap_complete::Shell;

use framepack_ipc::Exit;

use crate::{completion::script, failure::Failure};

pub(crate) fn run(shell: Shell) -> Result<Exit, Failure> {
    io::stdout().write_all(&script(shell)?)?;
    Ok(Exit::Ok)
}
