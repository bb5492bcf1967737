//! How every command looks: on terminals of two widths, in a pipe, and as JSON.

mod cases;
mod environment;
pub(crate) mod farm;
mod watch;

use std::process::Command;

use cases::{Case, RECENT, cases};

use crate::{
    Ended,
    fake_daemon::FakeDaemon,
    fixtures::YAML,
    snapshot::{check, with_named_colours},
    terminal::{Size, Terminal, at_home},
};

/// How a command is looked at.
#[derive(Clone, Copy)]
enum Look {
    /// On a terminal of 80 columns, without colours.
    Narrow,
    /// On a terminal of 132 columns, with colours.
    Wide,
    Piped,
    Json,
}

impl Look {
    fn extension(self) -> &'static str {
        match self {
            Self::Narrow => "80.txt",
            Self::Wide => "132.txt",
            Self::Piped => "piped.txt",
            Self::Json => "json",
        }
    }

    /// What the command prints.
    fn at(self, case: &Case) -> String {
        let daemon = FakeDaemon::start((case.answers)());
        std::fs::write(daemon.folder.path().join("cat.yaml"), YAML).unwrap();
        let folder = daemon.folder.path();
        let text = match self {
            Self::Narrow => on_terminal(80, at_home(folder, case.arguments).env("NO_COLOR", "1")),
            Self::Wide => with_named_colours(&on_terminal(132, &at_home(folder, case.arguments))),
            Self::Piped => in_pipe(&mut at_home(folder, case.arguments)),
            Self::Json => {
                let arguments = [case.arguments, &["--json"]].concat();
                in_pipe(&mut at_home(folder, &arguments))
            }
        };
        if matches!(self, Self::Narrow | Self::Wide) {
            assert!(!text.contains('\u{1b}'), "{}: {text:?}", case.name);
        }
        // Where and when the tests are run is no part of it.
        text.replace(&*folder.to_string_lossy(), "/folder")
            .replace(&RECENT.to_string(), "RECENT")
    }
}

fn on_terminal(columns: u16, command: &Command) -> String {
    let lines = 24;
    let left = Terminal::start(Size { columns, lines }, command).ended();
    format!("{}exit code {}\n", left.written, left.code)
}

fn in_pipe(command: &mut Command) -> String {
    let Ended {
        code,
        stdout,
        stderr,
    } = Ended::of(command.output().unwrap());
    format!("{stdout}--- standard error\n{stderr}--- exit code {code}\n")
}

/// Compares what all commands print with their files.
fn check_all(look: Look) {
    let mut changed = Vec::new();
    for case in cases() {
        let name = format!("{}.{}", case.name, look.extension());
        changed.extend(check(&name, &look.at(&case)).err());
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

#[test]
fn every_command_on_a_narrow_terminal() {
    check_all(Look::Narrow);
}

#[test]
fn every_command_on_a_wide_terminal_with_colours() {
    check_all(Look::Wide);
}

#[test]
fn every_command_in_a_pipe() {
    check_all(Look::Piped);
}

#[test]
fn every_command_as_json() {
    check_all(Look::Json);
}
