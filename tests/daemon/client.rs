//! framepackctl against the real daemon: exit codes and what it prints.

use std::{
    fs,
    process::{Command, Output},
};

use framepack_jobs::StateName;
use serde_json::Value;

use crate::fixture::{Farm, binary, job};

impl Farm {
    pub(crate) fn ctl(&self, arguments: &[&str]) -> Output {
        let program = binary("framepackctl");
        assert!(
            program.is_file(),
            "{} is missing: `make build` builds it",
            program.display()
        );
        Command::new(program)
            .arg("--socket")
            .arg(self.socket())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Writes a job file where no daemon looks.
    pub(crate) fn write_job(&self, name: &str, prompt: &str) -> String {
        let path = self.path("jobs/.incoming").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = job(prompt).replace("photo.png", "../photo.png");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[track_caller]
pub(crate) fn assert_code(output: &Output, code: i32) {
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(
        output.status.code(),
        Some(code),
        "stdout:\n{stdout}\nstderr:\n{stderr}"
    );
}

fn items(output: &Output) -> Vec<Value> {
    let envelope: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(envelope["api"], "framepack/v1");
    envelope["items"].as_array().unwrap().clone()
}

#[test]
fn submit_wait_and_show() {
    let farm = Farm::new();
    assert_code(&farm.ctl(&["ping"]), 0);
    let file = farm.write_job("cat.yaml", "a cat");
    assert_code(&farm.ctl(&["submit", &file, "--wait"]), 0);
    let shown = farm.ctl(&["show", "cat", "--json"]);
    assert_code(&shown, 0);
    let job = items(&shown).remove(0);
    assert_eq!(
        (&job["state"], &job["name"]),
        (&"done".into(), &"cat".into())
    );
    assert!(fs::exists(job["output"].as_str().unwrap()).unwrap());
    assert_eq!(items(&farm.ctl(&["list", "--json"])).len(), 1);
    assert_code(&farm.ctl(&["show", "dog"]), 4);
}

#[test]
fn a_failed_job_and_a_cancelled_one_have_their_exit_codes() {
    let farm = Farm::new();
    let file = farm.write_job("oom.yaml", "oom");
    assert_code(&farm.ctl(&["submit", &file, "--wait"]), 7);

    let file = farm.write_job(
        "deaf.yaml",
        &format!("wait {}", farm.path("never").display()),
    );
    assert_code(&farm.ctl(&["submit", &file]), 0);
    farm.wait_until("it runs", |farm| {
        farm.show("deaf")
            .pop()
            .filter(|job| job.is(StateName::Running))
    });
    assert_code(&farm.ctl(&["cancel", "deaf"]), 0);
    assert_code(&farm.ctl(&["wait", "deaf"]), 8);
}

#[test]
fn a_job_whose_folder_can_not_be_made_is_a_failed_job_for_all_who_wait() {
    let farm = Farm::new();
    fs::write(farm.path("outputs/taken"), "").unwrap();
    let file = farm.write_job("cat.yaml", "a cat\"\noutput: {dir: taken}\n#\"");
    for command in [
        &["submit", &file, "--wait"][..],
        &["wait", "@last"],
        &["submit", &file, "--follow"],
        &["run", &file],
    ] {
        assert_code(&farm.ctl(command), 7);
    }
    let failed = items(&farm.ctl(&["list", "--json"]));
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|job| job["failure"]["code"] == "FP2206"));
}

#[test]
fn a_bad_job_and_a_forbidden_image_have_their_exit_codes() {
    let farm = Farm::new();
    let bad = farm.write_job("bad.yaml", "a cat\"\nstpes: \"5");
    let refused = farm.ctl(&["submit", &bad]);
    assert_code(&refused, 6);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("did you mean `steps`"));

    fs::write(farm.path("outside.yaml"), job("a cat")).unwrap();
    fs::copy(farm.path("jobs/photo.png"), farm.path("photo.png")).unwrap();
    assert_code(
        &farm.ctl(&["submit", farm.path("outside.yaml").to_str().unwrap()]),
        5,
    );
}

#[test]
fn a_key_that_another_job_has_is_a_conflict() {
    let farm = Farm::new();
    let first = farm.write_job("a.yaml", "a cat\"\nkey: \"mine");
    let same = farm.write_job("b.yaml", "a cat\"\nkey: \"mine");
    let other = farm.write_job("c.yaml", "a dog\"\nkey: \"mine");
    assert_code(&farm.ctl(&["submit", &first, "--wait"]), 0);
    assert_code(&farm.ctl(&["submit", &same]), 0);
    let refused = farm.ctl(&["submit", &other]);
    assert_code(&refused, 10);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is already used by job 1"));
}

#[test]
fn a_daemon_that_is_not_there_is_said() {
    let farm = Farm::stopped();
    assert_code(&farm.ctl(&["list"]), 3);
}
