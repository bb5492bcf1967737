//! Rule 11: what a report says of a job.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fixture::{Farm, entries};

fn sha256(content: &[u8]) -> Value {
    json!(format!("{:x}", Sha256::digest(content)))
}

/// Asserts that there is something at each of these places.
#[track_caller]
fn assert_has(report: &Value, places: &[&str]) {
    for place in places {
        let found = report.pointer(place);
        assert!(
            found.is_some_and(|found| !found.is_null()),
            "{place}:\n{report:#}"
        );
    }
}

#[test]
fn rule_11_the_report_of_a_video_has_all_that_is_known_of_it() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    assert_eq!(report["api"], "framepack/v1");
    assert_eq!(report["kind"], "Report");
    assert_eq!(report["outcome"], "done");
    assert_has(
        &report,
        &[
            "/written_at",
            "/versions/framepackd",
            "/versions/worker",
            "/job/seed",
            "/job/attempts",
            "/job/retries",
            "/job/rung",
            "/job/submitted_at",
            "/job/started_at",
            "/job/finished_at",
            "/job/result/rungs",
            "/job/result/plan/frames",
            "/job/result/phases/0/phase",
            "/job/result/phases/0/secs",
            "/job/result/device",
            "/job/result/dtype",
            "/job/result/verified",
            "/job/result/peak_device_bytes",
            "/job/result/memory_plan",
            "/job/result/latents_sha256",
            "/job/result/warnings",
        ],
    );
    assert_eq!(report["hashes"]["image_sha256"], sha256(b"P1 1 1 0"));
    let video = fs::read(farm.path("outputs").join(farm.outputs().remove(0))).unwrap();
    assert_eq!(report["hashes"]["video_sha256"], sha256(&video));
    assert_eq!(report["hashes"]["stream_sha256"], "5eed".repeat(16));
    // Where the device tells what it took, there is a number.
    assert!(report["job"].get("energy_joules").is_some(), "{report:#}");
}

#[test]
fn rule_11_the_report_of_a_failure_says_why_to_programs_and_to_people() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "oom");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "failed");
    assert_eq!(report["failure"]["class"], "oom");
    assert_eq!(report["failure"]["code"], "FP5001");
    assert_eq!(report["job"]["attempts"], 3);
    assert_eq!(report["job"]["retries"], 2);
    assert_eq!(report["job"]["last_failure"]["code"], "FP5001");
    assert_eq!(
        report["hashes"],
        json!({"image_sha256": sha256(b"P1 1 1 0")})
    );
    let (_, words) = farm.filed("cat", ".report.txt").pop().unwrap();
    let words = fs::read_to_string(words).unwrap();
    for part in ["cat.yaml", "FP5001", "What to do:", "To try again:"] {
        assert!(words.contains(part), "{part}:\n{words}");
    }
    assert_nothing_half_written(&farm, "failed");
}

#[test]
fn rule_11_the_report_of_a_mistake_names_each_of_them() {
    let farm = Farm::new();
    farm.drop_job(
        "bad.yaml",
        "api: framepack/v1\nsteps: many\nstart: {imag: a.png}\n",
    );
    let (outcome, report) = farm.report("bad");
    assert_eq!(outcome, "rejected");
    assert_eq!(report["failure"]["class"], "input");
    assert!(
        report["problems"].as_array().unwrap().len() > 1,
        "{report:#}"
    );
    assert!(report.get("job").is_none() && report.get("hashes").is_none());
    assert!(!farm.filed("bad", ".report.txt").is_empty());
    assert_nothing_half_written(&farm, "rejected");
}

/// A report that is being written has a hidden name.
#[track_caller]
fn assert_nothing_half_written(farm: &Farm, outcome: &str) {
    let days = entries(&farm.path("jobs").join(outcome));
    let files = days.iter().flat_map(|day| entries(day));
    let hidden = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0);
}
