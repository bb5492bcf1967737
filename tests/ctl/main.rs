//! framepackctl as scripts see it: arguments in, exit code, stdout and stderr out.
//!
//! The daemon is a stand-in that answers from a list ([`fake_daemon`]); with the real one the client is
//! tested in `tests/daemon`.
#![expect(clippy::unwrap_used, reason = "a test's fixtures are right")]

mod completion;
mod config;
mod daemon;
mod editing;
mod events;
#[path = "../../ctl/src/farm/example.rs"]
mod example;
mod fake_daemon;
mod fixtures;
mod harmless;
mod init;
mod jobs;
mod keep;
mod list;
mod looks;
mod manual;
mod models;
mod offline;
mod plan;
mod preview;
mod queue;
mod reconnecting;
mod removing;
mod report;
mod run;
mod service;
mod show;
mod snapshot;
mod status;
mod submit;
mod terminal;
mod top;
mod unreachable;
mod upkeep;
mod waiting;

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

/// How a run of framepackctl ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

/// framepackctl in `folder` with its daemon at `socket` beneath it.
fn framepackctl(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framepackctl"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("FRAMEPACKD_SOCKET", folder.join("socket"));
    command
}

/// Runs it with this environment.
fn framepackctl_with(folder: &Path, arguments: &[&str], environment: &[(&str, &Path)]) -> Ended {
    let mut command = framepackctl(folder, arguments);
    command.envs(environment.iter().copied());
    Ended::of(command.output().unwrap())
}

/// Runs it with `stdin`.
fn framepackctl_in(folder: &Path, arguments: &[&str], stdin: &str) -> Ended {
    let mut child = framepackctl(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Ended::of(child.wait_with_output().unwrap())
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks all three at once.
    #[track_caller]
    fn assert(&self, code: i32, stdout: &str, stderr: &str) {
        let expected = Ended {
            code,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        assert_eq!(format!("{self:#?}"), format!("{expected:#?}"));
    }

    /// Standard output as JSON.
    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| panic!("{err}: {self:#?}"))
    }
}
