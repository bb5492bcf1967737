//! The configuration: read without a daemon, shown by one, and its defaults in jobs.

use std::{
    fs,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_valid_configuration_is_called_valid_and_old_names_are_noticed() {
    let farm = Farm::stopped();
    farm.configure("keep: {work_days: 3}\n");
    for arguments in [&["config", "check"][..], &["--check-config"]] {
        let output = farm.refused(arguments);
        assert_code(&output, 0);
        assert!(stdout(&output).ends_with("framepackd.yaml: valid\n"));
        let notice =
            "notice: keep.work_days is now called retention.work_days; the old name still works\n";
        assert_eq!(stderr(&output), notice);
    }
}

#[test]
fn every_mistake_is_listed_with_its_place() {
    let farm = Farm::stopped();
    farm.configure("idle: {warm_after_secs: soon}\nstep: 3\n");
    let output = farm.refused(&["config", "check"]);
    assert_code(&output, 2);
    for part in [
        "idle.warm_after_secs: `soon` is neither never nor a whole number",
        "step: unknown key (did you mean `steps`?)",
        "[FP8002]",
    ] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert!(!farm.path("state").exists(), "nothing was made");
}

#[test]
fn settings_are_shown_with_their_origin() {
    let farm = Farm::stopped();
    let output = farm.refused(&["config", "show", "--origin", "worker"]);
    assert_code(&output, 0);
    let file = farm.path("framepackd.yaml");
    let shown = stdout(&output);
    let devices = format!("worker.devices: [\"cpu\"]  # {}:9\n", file.display());
    assert!(shown.starts_with(&devices), "{shown}");
    assert!(
        shown.contains("\nworker.recycle_after: 50  # default\n"),
        "{shown}"
    );
    let output = farm.refused(&["config", "show", "worker.recycle-after"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("did you mean `worker.recycle_after`?"));
}

#[test]
fn what_depends_on_the_devices_is_said_to_do_so_where_they_are_not_known() {
    let farm = Farm::stopped();
    farm.configure("attention: standard\nmemory: {backend: v1}\nsteps: 3\n");
    let remark = |keys: &str| {
        format!(
            "# it depends on the devices whether these do anything: {keys}; `framepackctl config show` says it of the running \
             daemon\n"
        )
    };
    for (arguments, keys) in [
        (&["config", "show"][..], Some("attention, memory.backend")),
        (
            &["config", "show", "--origin", "memory"],
            Some("memory.backend"),
        ),
        (&["config", "show", "steps"], None),
        (&["config", "show", "worker"], None),
    ] {
        let output = farm.refused(arguments);
        assert_code(&output, 0);
        let shown = stdout(&output);
        match keys {
            Some(keys) => assert!(shown.ends_with(&remark(keys)), "{shown}"),
            None => assert!(!shown.contains("# it depends"), "{shown}"),
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let farm = Farm::stopped();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_framepackd"))
        .arg("--config")
        .arg(farm.path("framepackd.yaml"))
        .args(["config", "show"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .and_then(Child::wait_with_output)
        .unwrap();
    assert_code(&output, 0);
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_running_daemon_shows_what_it_was_started_with() {
    let farm = Farm::with_settings(&[("STEPS", "7")]);
    farm.configure("guidance: {cfg: 2}\n");
    let output = farm.ctl(&["config", "show", "--origin", "steps"]);
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "steps: 7  # FRAMEPACKD_STEPS\n");
    let output = farm.ctl(&["config", "show", "guidance.cfg"]);
    assert_eq!(
        stdout(&output),
        "guidance.cfg: 1.0\n",
        "it read the file before"
    );
}

#[test]
fn farm_wide_defaults_reach_the_worker_and_the_record() {
    let farm = Farm::with_settings(&[("STEPS", "7"), ("GUIDANCE_DISTILLED", "6")]);
    farm.drop_job("cat.yaml", job("a cat") + "guidance: {distilled: 9}\n");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    assert_eq!(report["job"]["spec"]["steps"], Value::Null);
    assert_eq!(report["job"]["farm_defaults"], json!({"steps": 7}));
    assert_eq!(report["job"]["result"]["plan"]["steps"], 7);
}

#[test]
fn a_duplicate_under_other_farm_wide_defaults_is_told_so() {
    let mut farm = Farm::with_settings(&[("STEPS", "7")]);
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    farm.stop();
    farm.set(&[("STEPS", "8")]);
    farm.start();
    farm.drop_job("again.yaml", job("a cat") + "name: cat\n");
    let (outcome, report) = farm.report("again");
    assert_eq!(outcome, "duplicate");
    let differs = "steps: 8 instead of 7";
    assert_eq!(report["settings_differ"], json!([differs]));
    let (_, text) = farm.filed("again", ".report.txt").pop().unwrap();
    assert!(fs::read_to_string(text).unwrap().contains(differs));
    let elsewhere = farm.path("jobs/.incoming");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::copy(farm.path("jobs/photo.png"), elsewhere.join("photo.png")).unwrap();
    let file = elsewhere.join("cat.yaml");
    fs::write(&file, job("a cat")).unwrap();
    let output = farm.ctl(&["submit", file.to_str().unwrap()]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains(differs), "{}", stderr(&output));
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn a_duplicate_is_compared_by_what_would_be_rendered() {
    let farm = Farm::with_settings(&[("STEPS", "7"), ("GUIDANCE_CFG", "2")]);
    farm.drop_job("cat.yaml", job("a cat") + "guidance: {cfg: 1}\n");
    assert_eq!(farm.report("cat").0, "done");
    // The same key: what a file says and what it leaves out are the same there where they are the built-in default.
    farm.drop_job("again.yaml", job("a cat") + "name: cat\n");
    let (outcome, report) = farm.report("again");
    assert_eq!(outcome, "duplicate");
    let expected = json!(["guidance.cfg: 2.0 instead of 1.0"]);
    assert_eq!(report["settings_differ"], expected);
    farm.drop_job(
        "same.yaml",
        job("a cat") + "name: cat\nguidance: {cfg: 1}\n",
    );
    let (outcome, report) = farm.report("same");
    assert_eq!(outcome, "duplicate");
    assert_eq!(report["settings_differ"], Value::Null);
}
