//! The commands, one a file.

mod cache;
mod change;
mod completions;
mod config;
mod doctor;
mod drain;
mod edit;
mod edited;
mod events;
mod explain;
mod folder;
mod gc;
mod gpu;
mod info;
mod init;
mod list;
mod logs;
mod man;
mod many;
mod metrics;
mod models;
mod ping;
mod plan;
mod preview;
mod queue;
mod reload;
mod remove;
mod report;
mod retry;
mod run;
mod set;
mod show;
mod state;
mod status;
mod submit;
mod support_bundle;
mod top;
mod usage;
mod wait;
mod warmth;

use std::path::PathBuf;

use framepack_ipc::{
    Exit,
    queue::{Change, Scope},
};

use crate::{
    cli::{Cli, Command, Priority, Status},
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
        Command::Submit(arguments) if arguments.follow => {
            run::run_submitted(&arguments, &daemon, output)
        }
        Command::Submit(arguments) => submit::run(&arguments, &daemon, output),
        Command::Status(arguments) => status::run(arguments, &daemon, output),
        Command::Top => top::run(&daemon, output),
        Command::List(arguments) => list::run(&arguments, &daemon, output),
        Command::Show(jobs) => show::run(jobs, &daemon, output),
        Command::Wait(arguments) => wait::run(&arguments, &daemon, output),
        Command::Plan(arguments) => plan::run(&arguments, &daemon, output),
        Command::Cancel(arguments) => change::cancel(arguments, &daemon, output),
        Command::Edit(arguments) => edit::run(arguments, &daemon, output),
        Command::Set(arguments) => set::run(&arguments, &daemon, output),
        Command::Rm(arguments) => remove::run(arguments, &daemon, output),
        Command::Preview(arguments) => preview::run(&arguments, &daemon, output),
        Command::Logs(arguments) => logs::run(arguments, &daemon, output),
        Command::Events(arguments) => events::run(arguments, &daemon, output),
        Command::Report(arguments) => report::run(&arguments, &daemon, output),
        Command::Drain(arguments) => drain::run(&arguments, &daemon, output),
        Command::WarmUp(arguments) => warmth::warm_up(arguments, &daemon, output),
        Command::Unload(arguments) => warmth::unload(arguments, &daemon, output),
        Command::Reload => reload::run(&daemon, output),
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
        Command::Retry(arguments) => retry::run(arguments, &daemon, output),
        Command::Folder { action } => folder::run(&action, &daemon, output),
        Command::Config { action } => config::run(action, &daemon, output),
        Command::Metrics => metrics::run(&daemon),
        Command::Doctor => doctor::run(&daemon, output),
        Command::State { action } => state::run(action, &daemon, output),
        Command::Ping => ping::run(&daemon, output),
        Command::Info => info::run(&daemon, output),
        Command::Usage(arguments) => usage::run(&arguments, &daemon, output),
        Command::Gc(arguments) => gc::run(&arguments, &daemon, output),
        Command::Cache { action } => cache::run(&action, &daemon, output),
        Command::SupportBundle(arguments) => support_bundle::run(&arguments, &daemon, output),
        Command::Explain { code } => explain::run(code, output),
        Command::Completions { shell } => completions::run(shell),
        Command::Man(arguments) => man::run(&arguments),
    }
}
