//! framepackctl: the command-line client of framepackd. It speaks the socket protocol and nothing else.
//!
//! [`cli`] is the command line; each command is a file in [`commands`]; [`output`] prints records as
//! text for people, as plain lines or as JSON; [`rows`] says what they see, and [`terminal`] what theirs can show.
//! [`one_off`] is the daemon that `run` starts where none answers, which is spoken to like any other. [`completion`] answers
//! shells, [`manual`] are the manual pages, and [`support`] is the archive for whoever helps, for which the system's own
//! programs are asked, too.

mod cli;
mod commands;
mod completion;
mod confirm;
mod daemon;
mod deadline;
mod delivery;
mod ends;
mod event;
mod failure;
mod farm;
mod fields;
mod follow;
mod installed;
mod interrupt;
mod manual;
mod memory;
mod one_off;
mod output;
mod path_text;
mod program;
mod progress;
mod reconnection;
mod report;
mod rows;
mod shown_state;
mod step_cache;
mod support;
mod tally;
mod terminal;
mod waiting;

use std::process::ExitCode;

fn main() -> ExitCode {
    completion::answer_shell();
    let cli = cli::Cli::read();
    let output = cli.output();
    let ended = commands::run(cli, &output);
    ended
        .unwrap_or_else(|failure| failure.report(&output))
        .into()
}
