//! The programs that rendering takes: the worker, and those that it calls.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio, time::Duration};

use framepack_ipc::check::Check;
use serde::Deserialize;
use tokio::{process::Command, time::timeout};

/// How long the worker may take to try the programs: less than clients wait for an answer. Loading libtorch from a cold
/// disk takes seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// Whether there is a worker that may be executed.
pub(super) fn worker(key: &str, program: &Path) -> Check {
    let may_run = fs::metadata(program)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    if may_run {
        Check::ok(key, program.display())
    } else {
        Check::failed(
            key,
            format!("{} is not executable", program.display()),
            "install framepack-worker beside framepackd, or set worker.program",
        )
    }
}

/// What `framepack-worker doctor --programs --json` prints.
#[derive(Debug, Deserialize)]
struct Report {
    programs: Vec<Check>,
}

/// What the worker finds of the programs that it calls, with videos in `outputs`: its judgement is the one that counts
/// when a job is done.
pub(super) async fn called_programs(worker: &Path, outputs: &Path) -> Vec<Check> {
    let mut command = Command::new(worker);
    command
        .args(["doctor", "--programs", "--json", "--outputs"])
        .arg(outputs)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let fault = |reason: String| {
        vec![Check::failed(
            "worker.program",
            format!("{} does not work: {reason}", worker.display()),
            "run `framepack-worker --version` as the daemon's user; if a library is missing, install libtorch again",
        )]
    };
    let output = match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return fault(format!("it can't be started: {error}")),
        Err(_) => return fault(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    match serde_json::from_slice::<Report>(&output.stdout) {
        Ok(report) if output.status.success() => report.programs,
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().last().unwrap_or("it said nothing");
            fault(format!("{}: {last}", output.status))
        }
    }
}

#[cfg(test)]
mod tests {
    use framepack_ipc::check::CheckState;

    use super::*;

    /// A worker that does what `script` says.
    fn program(folder: &Path, script: &str) -> std::path::PathBuf {
        let program = folder.join("framepack-worker");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[test]
    fn a_worker_can_be_executed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let check = worker("worker.program", &file);
        assert_eq!(check.state, CheckState::Failed, "{check:?}");
        assert!(!check.fix.is_empty(), "{check:?}");
    }

    #[tokio::test]
    async fn a_worker_says_what_it_finds_or_does_not_work() {
        let folder = tempfile::tempdir().unwrap();
        let found =
            r#"echo '{"programs":[{"name":"ffmpeg","state":"warning","message":"m","fix":"f"}]}'"#;
        let checks = called_programs(&program(folder.path(), found), folder.path()).await;
        let expected = Check::new(CheckState::Warning, "ffmpeg", "m", "f");
        assert_eq!(checks, [expected]);
        for (script, reason) in [
            (
                "echo 'libtorch.so: cannot open shared object file' >&2; exit 127",
                "libtorch.so: cannot",
            ),
            ("kill -SEGV $$", "signal: 11"),
            ("echo hello", "it said nothing"),
        ] {
            let checks = called_programs(&program(folder.path(), script), folder.path()).await;
            let [check] = checks.as_slice() else {
                panic!("{checks:?}")
            };
            assert_eq!(
                (check.name.as_str(), check.state),
                ("worker.program", CheckState::Failed)
            );
            assert!(check.message.contains(reason), "{check:?}");
        }
    }
}
