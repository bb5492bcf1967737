//! Completion of command lines: the shell calls framepackctl back, which knows its own options and asks the daemon for what
//! else there is.
//!
//! - `values`: which values an argument takes; `live`: those that the daemon knows, within a moment
//! - `script`: what a shell sources

mod live;
mod script;
mod values;

use clap::{Command, CommandFactory};
use clap_complete::CompleteEnv;

pub(crate) use self::script::script;
use crate::cli::Cli;

/// The variable by which a shell asks, with its name.
const VARIABLE: &str = "COMPLETE";

/// Answers a shell that asks, and ends; returns at once where none does.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The command line, with values for its arguments.
fn command() -> Command {
    values::with_values(Cli::command())
}
