//! framepack-models: gets the models' files, checks them, and finds those that other programs have.
//!
//! A program of its own, because it is the only one that speaks HTTP: `framepackctl models …` runs it.
//!
//! - [`cli`] is the command line, each command a file in [`commands`]
//! - [`catalog`] says which files of which repositories FramePack needs
//! - [`published`] says what their tensors and configurations are
//! - [`api`] asks the Hub, [`fetch`] gets its files, [`target`] knows where they lie, [`manifest`] what was checked

mod api;
mod catalog;
mod cli;
mod commands;
mod environment;
mod failure;
mod fetch;
mod hash;
mod licence;
mod manifest;
mod output;
mod published;
mod target;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::of_process() {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let output = cli.output();
    let ended = commands::run(cli.command, &output);
    ended
        .unwrap_or_else(|failure| failure.report(&output))
        .into()
}
