//! framepackctl: the command-line client of framepackd. It speaks the socket protocol and nothing else.
//!
//! [`cli`] is the command line; each command is a file in [`commands`]; [`output`] prints records as
//! a table, as tab-separated lines or as JSON.

mod cli;
mod commands;
mod daemon;
mod failure;
mod fields;
mod memory;
mod output;
mod progress;
mod rows;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let output = cli.output();
    let ended = commands::run(cli, &output);
    ended
        .unwrap_or_else(|failure| failure.report(&output))
        .into()
}
