//! The memory that a job would take: asked through the socket, answered by a worker.

use std::{fs, path::Path, process::Output};

use framepack_jobs::StateName;
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, binary, entries},
};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Farm {
    /// The plan of a job or a file, once there is a worker for it.
    fn plan(&self, subject: &str) -> Value {
        let json = self.wait_until("a worker plans", |farm| {
            let output = farm.ctl(&["plan", subject, "--json"]);
            let is_early = stderr(&output).is_empty() && output.status.code() == Some(11);
            if is_early {
                return None;
            }
            assert_code(&output, 0);
            Some(serde_json::from_slice::<Value>(&output.stdout).unwrap())
        });
        assert_eq!(json["kind"], "MemoryPlan");
        json["items"][0].clone()
    }
}

#[test]
fn a_file_is_planned_and_nothing_is_left_of_it() {
    let farm = Farm::new();
    let plan = farm.plan(&farm.write_job("cat.yaml", "a cat"));
    assert_eq!(plan["transformer"]["resident_blocks"], 20);
    let lossless = farm.write_job("lossless.yaml", "a cat\"\noutput: {crf: 0}\n#\"");
    for (file, expected) in [("cat.yaml", 0), ("lossless.yaml", 1)] {
        let file = Path::new(&lossless).with_file_name(file);
        let plan = farm.plan(file.to_str().unwrap());
        let warnings = plan["warnings"].as_array().unwrap();
        let told = |warning: &&Value| warning.as_str().unwrap().contains("1 looks the same");
        assert_eq!(
            warnings.iter().filter(told).count(),
            expected,
            "{warnings:?}"
        );
    }
    assert!(farm.show("1-9").is_empty(), "it was queued");
    // A share's thread removes the copy.
    farm.wait_until("nothing is left", |farm| {
        entries(&farm.path("state/inputs")).is_empty().then_some(())
    });
    assert_eq!(farm.renders(), Vec::<u64>::new());

    let bad = farm.write_job("bad.yaml", "a cat\"\nstpes: \"5");
    assert_code(&farm.ctl(&["plan", &bad]), 6);
}

#[test]
fn a_worker_plans_while_it_renders() {
    let farm = Farm::new();
    let running = farm.submit_gated();
    let file = farm.write_job("dog.yaml", "a dog");
    assert_code(&farm.ctl(&["submit", &file]), 0);
    for subject in [running.id.to_string(), "2".to_owned(), file] {
        assert_eq!(farm.plan(&subject)["transformer"]["blocks"], 60);
    }
    assert!(farm.show("1")[0].is(StateName::Running));
    fs::write(farm.path("gate"), "").unwrap();
    farm.wait_until("both are done", |farm| {
        (farm.show("@done").len() == 2).then_some(())
    });
}

#[test]
fn a_job_that_does_not_fit_is_refused_with_numbers() {
    let farm = Farm::new();
    farm.plan(&farm.write_job("cat.yaml", "a cat"));
    let refused = farm.ctl(&["plan", &farm.write_job("large.yaml", "large")]);
    assert_code(&refused, 11);
    assert!(stderr(&refused).contains("needs at least 9.00 GiB"));
    assert!(stderr(&refused).contains("[FP5101]"));
    farm.wait_until("nothing is left", |farm| {
        entries(&farm.path("state/inputs")).is_empty().then_some(())
    });
}

#[test]
fn jobs_that_ended_and_jobs_that_never_were_have_no_plan() {
    let farm = Farm::new();
    let file = farm.write_job("cat.yaml", "a cat");
    assert_code(&farm.ctl(&["submit", &file, "--wait"]), 0);
    let ended = farm.ctl(&["plan", "1"]);
    assert_code(&ended, 10);
    assert!(stderr(&ended).contains("job 1 is done [FP1012]"));
    assert_code(&farm.ctl(&["plan", "2"]), 4);
}

#[test]
fn a_worker_that_dies_of_a_question_is_replaced() {
    let farm = Farm::new();
    let cat = farm.write_job("cat.yaml", "a cat");
    farm.plan(&cat);
    let silent = farm.ctl(&["plan", &farm.write_job("un.yaml", "unplanned")]);
    assert_code(&silent, 9);
    assert!(stderr(&silent).contains("[FP1011]"));
    farm.plan(&cat);
}

#[test]
fn without_a_worker_there_is_no_plan() {
    let mut farm = Farm::with_worker(&binary("framepackctl"), Path::new("bundle"));
    farm.start();
    let none = farm.ctl(&["plan", &farm.write_job("cat.yaml", "a cat")]);
    assert_code(&none, 11);
    assert!(stderr(&none).contains("no worker is running that could plan the job [FP1010]"));
}

#[test]
fn what_is_preserved_is_the_configurations_choice() {
    let mut farm = Farm::stopped();
    let config = fs::read_to_string(farm.path("framepackd.yaml")).unwrap();
    let config = format!("{config}memory:\n  preserve_gb: 6\n");
    fs::write(farm.path("framepackd.yaml"), config).unwrap();
    farm.start();
    let plan = farm.plan(&farm.write_job("cat.yaml", "a cat"));
    assert_eq!(plan["transformer"]["preserve_bytes"], 6_u64 << 30);
}

#[test]
fn the_report_has_the_planned_peak_beside_the_measured_one() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    let (_, report) = farm.report("cat");
    let result = &report["job"]["result"];
    assert_eq!(result["memory_plan"]["peak_bytes"], 4_u64 << 30);
    assert_eq!(result["peak_device_bytes"], 3_u64 << 30);
    let shown = farm.ctl(&["show", "cat"]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        text.contains("4.00 GiB planned, 3.00 GiB measured"),
        "{text}"
    );
}
