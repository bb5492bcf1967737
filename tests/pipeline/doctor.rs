//! `framepack-worker doctor`.

use std::process::{Command, Output};

use serde_json::Value;

fn doctor(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .arg("doctor")
        .args(args)
        .env("OMP_NUM_THREADS", "1")
        .output()
        .unwrap()
}

#[test]
fn the_cpu_passes_what_applies_to_it() {
    let output = doctor(&["--device", "cpu", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report:#}");
    assert_eq!(report["device"], "cpu");
    let checks = report["checks"].as_array().unwrap();
    let outcome = |name: &str| {
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is missing: {report:#}"))["outcome"].clone()
    };
    for name in [
        "memory information",
        "host memory",
        "flash attention",
        "math attention",
    ] {
        assert_eq!(outcome(name), "ok", "{name}");
    }
    for name in [
        "streams and events",
        "page-locked copy",
        "CUDA graph",
        "cuDNN attention",
    ] {
        assert_eq!(outcome(name), "not_on_this_device", "{name}");
    }

    let lines = String::from_utf8(doctor(&[]).stdout).unwrap();
    assert_eq!(lines.lines().count(), checks.len() + 1, "{lines}");
    let version = report["ffmpeg"].as_str().expect("ffmpeg is needed");
    assert!(lines.contains(&format!("ok ({version})")), "{lines}");
    assert!(lines.contains("not on this device"), "{lines}");
}

#[test]
fn without_ffmpeg_it_warns_and_does_not_fail() {
    let nothing = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .arg("doctor")
        .env("PATH", nothing.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.contains("warning: not in PATH"), "{lines}");
}

#[test]
fn an_ffmpeg_that_does_not_work_is_a_warning_too() {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("ffmpeg");
    std::fs::create_dir(&program).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .args(["doctor", "--programs", "--json", "--outputs"])
        .arg(programs.path())
        .env("PATH", programs.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = &report["programs"][0];
    assert_eq!(
        (&check["name"], &check["state"]),
        (&"ffmpeg".into(), &"warning".into())
    );
    let message = check["message"].as_str().unwrap();
    assert!(
        message.contains("it does not work: it can't be started"),
        "{message}"
    );
}

#[test]
fn a_device_that_is_not_there_fails_with_its_code() {
    let output = doctor(&["--device", "cuda:99"]);
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("FP5005"), "{log}");
}
