//! `models`: handed on to framepack-models.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

const FOUND: &str = "#!/bin/sh\nprintf '%s|' \"$0\" \"$@\"\nexit 23\n";

/// framepackctl in a folder of its own.
fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("framepackctl");
    fs::copy(env!("CARGO_BIN_EXE_framepackctl"), program).unwrap();
    folder
}

fn install(folder: &Path, text: &str, mode: u32) {
    let program = folder.join("framepack-models");
    fs::write(&program, text).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(mode)).unwrap();
}

fn models(installed: &TempDir, on_path: &Path, arguments: &[&str]) -> Output {
    Command::new(installed.path().join("framepackctl"))
        .arg("models")
        .args(arguments)
        .env("PATH", format!("{}:/usr/bin:/bin", on_path.display()))
        .output()
        .unwrap()
}

#[test]
fn arguments_and_exit_code_are_those_of_the_program() {
    let (own, elsewhere) = (installed(), tempfile::tempdir().unwrap());
    install(elsewhere.path(), FOUND, 0o755);
    for arguments in [
        &[][..],
        &["--help"],
        &["--version"],
        &[
            "fetch",
            "all",
            "--to",
            "my models",
            "--dry-run",
            "--json",
            "--",
            "-x",
        ],
    ] {
        let output = models(&own, elsewhere.path(), arguments);
        let program = elsewhere.path().join("framepack-models");
        let words = [&[program.to_str().unwrap()], arguments].concat();
        let said = format!("{}|", words.join("|"));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), said);
        assert_eq!(output.status.code(), Some(23));
    }
    // The one beside framepackctl comes first.
    install(own.path(), FOUND, 0o755);
    let output = models(&own, elsewhere.path(), &["ls"]);
    let own = own.path().canonicalize().unwrap();
    let said = |arguments: &str| format!("{}/framepack-models|{arguments}|", own.display());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), said("ls"));
    // How framepackctl is to print is how it is to print.
    let output = Command::new(own.join("framepackctl"))
        .args(["--json", "models", "ls"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), said("--json|ls"));
}

#[test]
fn a_program_that_is_missing_or_none_is_named() {
    let (own, elsewhere) = (installed(), tempfile::tempdir().unwrap());
    install(elsewhere.path(), FOUND, 0o644);
    let output = models(&own, elsewhere.path(), &["fetch"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("framepack-models is neither in "), "{told}");
    assert!(told.contains("[FP1016]\nhint: install it"), "{told}");
    install(own.path(), "#!/nonexistent/shell\n", 0o755);
    let output = models(&own, elsewhere.path(), &["fetch"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("starting ") && told.contains("[FP1016]"),
        "{told}"
    );
}
