//! The commands, one a file.

mod change;
mod completions;
mod config;
mod doctor;
mod explain;
mod folder;
mod gpu;
mod init;
mod list;
mod logs;
mod metrics;
mod models;
mod ping;
mod plan;
mod queue;
mod run;
mod show;
mod state;
mod status;
mod submit;
mod top;
mod wait;

use std::path::PathBuf;

use framepack_ipc::{
    Exit,
    queue::{Change, Scope},
};

use crate::{
    cli::{Cli, Command, Priority, Retry, Status},
    daemon::Daemon,
    failure::Failure,
    output::Output,
};

/// Runs what was typed.
pub(crate) fn run(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let daemon = Daemon::at(cli.socket.map(PathBuf::from));
    let command = cli.command.unwrap_or(Command::Status(Status::default()));
    match command {
        Command::Run(arguments) => run::run(&arguments, &daemon, output),
        Command::Init(arguments) => init::run(&arguments, output),
        Command::Models(arguments) => models::run(&arguments, output),
        Command::Submit(arguments) => submit::run(&arguments, &daemon, output),
        Command::Status(arguments) => status::run(arguments, &daemon, output),
        Command::Top => top::run(&daemon, output),
        Command::List(arguments) => list::run(arguments, &daemon, output),
        Command::Show(jobs) => show::run(jobs, &daemon, output),
        Command::Wait(arguments) => wait::run(arguments, &daemon, output),
        Command::Plan(arguments) => plan::run(&arguments, &daemon, output),
        Command::Cancel(jobs) => change::run(jobs.scope(), Change::Cancel, &daemon, output),
        Command::Logs(arguments) => logs::run(arguments, &daemon, output),
        Command::Gpu { action } => gpu::run(action, &daemon, output),
        Command::Queue => queue::run(&daemon, output),
        Command::Hold(jobs) => change::run(jobs.scope(), Change::Hold, &daemon, output),
        Command::Release(jobs) => change::run(jobs.scope(), Change::Release, &daemon, output),
        Command::Pause(pause) => {
            let change = Change::Pause {
                at: pause.at.into(),
            };
            change::run(pause.of.scope(), change, &daemon, output)
        }
        Command::Resume(of) => change::run(of.scope(), Change::Resume, &daemon, output),
        Command::Priority(Priority { jobs, priority }) => {
            let change = Change::Priority { priority };
            change::run(Scope::Jobs(jobs), change, &daemon, output)
        }
        Command::Retry(Retry { jobs, from_start }) => {
            let change = Change::Retry { from_start };
            change::run(jobs.scope(), change, &daemon, output)
        }
        Command::Folder { action } => folder::run(&action, &daemon, output),
        Command::Config { action } => config::run(action, &daemon, output),
        Command::Metrics => metrics::run(&daemon),
        Command::Doctor => doctor::run(&daemon, output),
        Command::State { action } => state::run(action, &daemon, output),
        Command::Ping => ping::run(&daemon, output),
        Command::Explain { code } => explain::run(code, output),
        Command::Completions { shell } => completions::run(shell),
    }
}
