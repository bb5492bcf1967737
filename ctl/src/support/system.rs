//! What the machine tells of framepackd, also while no daemon answers.

use std::process::{Command, Output, Stdio};

use super::{Collection, Content};
use crate::program;

/// The unit that `make install` installs.
const UNIT: &str = "framepackd";
/// Lines of its journal.
const LINES: &str = "2000";
/// Longest wait for a program, in seconds.
const LIMIT_SECS: &str = "10";

/// What the service manager says, where there is one.
pub(super) fn service(all: &mut Collection) {
    let status = ["systemctl", "status", UNIT, "--no-pager", "--lines=0"];
    let journal = [
        "journalctl",
        "--unit",
        UNIT,
        "--lines",
        LINES,
        "--no-pager",
        "--output=short-iso",
    ];
    text(all, "systemctl.txt", &status);
    text(all, "journal.txt", &journal);
    text(all, "nvidia-smi.txt", &["nvidia-smi"]);
    text(all, "uname.txt", &["uname", "-a"]);
}

/// The configuration that a daemon would start with.
pub(super) fn configuration(all: &mut Collection) {
    match program::find("framepackd") {
        Ok(framepackd) => {
            let framepackd = framepackd.display().to_string();
            text(
                all,
                "config.txt",
                &[&framepackd, "config", "show", "--origin"],
            );
        }
        Err(error) => all
            .missing
            .push(format!("configuration: {}", error.message)),
    }
}

/// What a program prints, on either stream.
fn text(all: &mut Collection, name: &str, command: &[&str]) {
    let ran = Command::new("timeout")
        .arg(LIMIT_SECS)
        .args(command)
        .stdin(Stdio::null())
        .output();
    match ran {
        Ok(Output { stdout, stderr, .. }) if !stdout.is_empty() => {
            let said = [stdout, stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            all.add(name, Content::Text(said));
        }
        Ok(Output { stderr, .. }) => {
            let why = String::from_utf8_lossy(&stderr);
            all.missing
                .push(format!("{}: {}", command.join(" "), why.trim()));
        }
        Err(error) => all.missing.push(format!("{}: {error}", command.join(" "))),
    }
}
