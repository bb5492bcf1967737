//! `man`: the manual pages.

use std::io::{self, Write};

use clap::CommandFactory;
use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::Code;

use crate::{
    cli::{Cli, Man},
    failure::Failure,
    manual,
};

pub(crate) fn run(arguments: &Man) -> Result<Exit, Failure> {
    let Some(folder) = &arguments.folder else {
        let page = manual::main_page(&Cli::command());
        io::stdout().write_all(page.as_bytes())?;
        return Ok(Exit::Ok);
    };
    manual::write(&Cli::command(), folder).map_err(|error| {
        let message = format!("writing manual pages to {}: {error}", folder.display());
        Failure::new(ErrorBody::new(Code::UNWRITABLE_FILE, message))
    })?;
    Ok(Exit::Ok)
}
