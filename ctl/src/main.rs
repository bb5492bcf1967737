//! framepackctl: the command-line client of framepackd. It speaks the socket protocol and nothing else.
//!
//! [`cli`] is the command line; each command is a file in [`commands`]; [`output`] prints records as
//! a table, as tab-separated lines or as JSON. [`one_off`] is the daemon that `run` starts where none answers, which is
//! spoken to like any other.

mod cli;
mod commands;
mod daemon;
mod delivery;
mod event;
mod failure;
mod farm;
mod fields;
mod follow;
mod installed;
mod interrupt;
mod memory;
mod one_off;
mod output;
mod path_text;
mod program;
mod progress;
mod rows;
mod shown_state;
mod step_cache;
mod terminal;
mod waiting;

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
