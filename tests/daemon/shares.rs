//! Folders on disks and shares that have less than a file system of Linux.

use std::{fs, process::Command};

use serde_json::Value;

use crate::{
    fixture::{Farm, entries},
    preload::compile,
    start::assert_fails,
};

/// A farm in which the folders of jobs and videos lie on such a disk.
fn farm() -> Farm {
    let mut farm = Farm::stopped();
    farm.set_environment("LD_PRELOAD", compile("daemon", "foreign_disk"));
    fs::create_dir(farm.path("outputs")).unwrap();
    farm
}

#[test]
fn videos_are_made_where_there_are_no_links() {
    let mut farm = farm();
    farm.set_environment("FOREIGN_DISK", farm.path("outputs"));
    farm.start();
    let job = |prompt: &str| {
        format!(
            "api: framepack/v1\nstart: {{image: photo.png}}\nname: cat\nprompt: {prompt}\noutput: {{name: \"{{name}}\"}}\n"
        )
    };
    farm.drop_job("one.yaml", job("a cat"));
    farm.drop_job("two.yaml", job("another cat"));
    for stem in ["one", "two"] {
        let (outcome, report) = farm.report(stem);
        assert_eq!(outcome, "done", "{report:#}");
    }
    let mut outputs = farm.outputs();
    outputs.sort();
    assert_eq!(outputs, ["cat-2.mp4", "cat.mp4"]);
    assert_eq!(entries(&farm.path("outputs")).len(), 2, "nothing is left");

    let json = farm.ctl(&["doctor", "--json"]);
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    let checks = told["items"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["name"] == "paths.outputs")
        .unwrap();
    assert_eq!(check["state"], "ok", "{check}");
    let message = check["message"].as_str().unwrap();
    assert!(
        message.contains("no symbolic links; `: * ? \" < > |` in names are replaced"),
        "{message}"
    );
    assert_eq!(entries(&farm.path("outputs")).len(), 2, "nothing is left");
}

#[test]
fn jobs_are_taken_from_such_a_disk() {
    let mut farm = farm();
    farm.set_environment("FOREIGN_DISK", farm.path("jobs"));
    farm.start();
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn a_state_directory_without_locks_is_refused_by_name() {
    let farm = farm();
    let refused = Command::new(env!("CARGO_BIN_EXE_framepackd"))
        .arg("--config")
        .arg(farm.path("framepackd.yaml"))
        .env("LD_PRELOAD", compile("daemon", "foreign_disk"))
        .env("FOREIGN_LOCKS", farm.path("state"))
        .output()
        .unwrap();
    for part in ["[FP5018]", "state/lock can't be locked", "local disk"] {
        assert_fails(&refused, part);
    }
}
