//! Runs a page's shell blocks one after the other in one shell, in a folder that looks like a checkout.

use std::{fs, os::unix::fs::symlink, process::Command};

use tempfile::TempDir;

use crate::{markdown::Block, programs, repository};

/// A worker that does not render, in the place of the one that does: that one is tested elsewhere, and takes minutes.
const WORKER: &str = "examples/fake_worker";
const CLEARED: [&str; 6] = [
    "FRAMEPACKD_SOCKET",
    "HF_HOME",
    "HF_HUB_CACHE",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
];
/// Seconds after which a page counts as stuck.
const PATIENCE_SECS: &str = "300";
/// A daemon in the background is waited for, as a reader waits for its `ready`.
const UNTIL_READY: &str =
    "until framepackctl ping > ping.log 2>&1; do kill -0 $! || exit 1; done\n";

/// The blocks as one script.
fn script(page: &str, blocks: &[&Block]) -> String {
    let mut script =
        String::from("set -euo pipefail\ntrap 'kill $(jobs -p) 2> kill.log || true' EXIT\n");
    for block in blocks {
        let text = &block.text;
        let place = format!("echo '== {page}, line {}' >&2\n", block.line);
        script.push_str(&place);
        script.push_str(text);
        if text.trim_end().ends_with('&') {
            script.push_str(UNTIL_READY);
        }
    }
    script
}

/// A folder with links to what the repository has. Start images are copied: jobs take none through a link.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if !["target", ".git", "jobs"].iter().any(|own| name == *own) {
            symlink(entry.path(), folder.path().join(name)).unwrap();
        }
    }
    for own in ["target", "jobs"] {
        fs::create_dir(folder.path().join(own)).unwrap();
    }
    symlink(programs(), folder.path().join("target/release")).unwrap();
    let examples = repository().join("jobs/examples");
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(examples).arg(folder.path().join("jobs"));
    assert!(copy.status().unwrap().success());
    folder
}

/// Runs the blocks; what went wrong and in which of them.
pub(crate) fn run(page: &str, blocks: &[&Block]) -> Result<(), String> {
    let folder = checkout();
    let mut shell = Command::new("timeout");
    shell
        .args([PATIENCE_SECS, "bash", "-c", &script(page, blocks)])
        .current_dir(&folder)
        .env("HOME", folder.path().join("home"))
        .env("FRAMEPACKD_WORKER_PROGRAM", programs().join(WORKER))
        .env("FRAMEPACKD_WORKER_DEVICES", "cpu");
    for name in CLEARED {
        shell.env_remove(name);
    }
    let output = shell.output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{told}", output.status))
}

#[test]
fn a_command_that_fails_is_told_with_its_place() {
    let block = |line, text: &str| Block {
        line,
        language: "sh".to_owned(),
        note: String::new(),
        text: format!("{text}\n"),
    };
    let (first, second, third) = (
        block(3, "x=1; cp README.md copy"),
        block(9, "test $x = 1\ncmp README.md copy"),
        block(17, "framepackctl --version\nframepackctl runn"),
    );
    assert_eq!(run("A.md", &[&first, &second]), Ok(()));
    let path = block(1, "PATH=$PWD/target/release:$PATH");
    let why = run("A.md", &[&path, &first, &third]).unwrap_err();
    assert!(why.contains("== A.md, line 17"), "{why}");
    assert!(why.contains("unrecognized subcommand 'runn'"), "{why}");
}
