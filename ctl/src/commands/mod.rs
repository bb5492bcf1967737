//! The commands, one a file.

mod cancel;
mod completions;
mod gpu;
mod list;
mod logs;
mod ping;
mod plan;
mod show;
mod submit;
mod wait;

use crate::{
    cli::{Cli, Command},
    daemon::Daemon,
    exit::Exit,
    failure::Failure,
    output::Output,
};

/// Runs what was typed.
pub(crate) fn run(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let daemon = Daemon { socket: cli.socket };
    match cli.command {
        Command::Submit(arguments) => submit::run(&arguments, &daemon, output),
        Command::List(arguments) => list::run(arguments, &daemon, output),
        Command::Show(jobs) => show::run(jobs, &daemon, output),
        Command::Wait(arguments) => wait::run(arguments, &daemon, output),
        Command::Plan(arguments) => plan::run(&arguments, &daemon, output),
        Command::Cancel(jobs) => cancel::run(jobs, &daemon, output),
        Command::Logs(arguments) => logs::run(arguments, &daemon, output),
        Command::Gpu { action } => gpu::run(action, &daemon, output),
        Command::Ping => ping::run(&daemon, output),
        Command::Completions { shell } => completions::run(shell),
    }
}
