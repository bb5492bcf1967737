//! `framepackctl metrics` and `framepackctl doctor` against the real daemon.

use std::{collections::BTreeMap, fs, process::Command};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

/// The samples of an OpenMetrics text, after its form was checked: each family has one head, its samples follow
/// it at once, a counter's are called `_total`, and the text says where it ends.
pub(crate) fn samples(text: &str) -> BTreeMap<String, String> {
    let body = text.strip_suffix("# EOF\n").expect("it says where it ends");
    let mut samples = BTreeMap::new();
    let mut families = Vec::new();
    let (mut family, mut kind) = ("", "");
    for line in body.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            (family, kind) = head.split_once(' ').unwrap();
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            assert!(!families.contains(&family), "{family} has two heads");
            families.push(family);
        } else if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(help.starts_with(&format!("{family} ")), "{line}");
        } else {
            let (name_and_labels, value) = line.rsplit_once(' ').unwrap();
            let name = name_and_labels.split('{').next().unwrap();
            let suffix = if kind == "counter" { "_total" } else { "" };
            assert_eq!(name, format!("{family}{suffix}"), "{line}");
            assert!(
                !name_and_labels.contains('{') || name_and_labels.ends_with("\"}"),
                "{line}"
            );
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let before = samples.insert(name_and_labels.to_owned(), value.to_owned());
            assert_eq!(before, None, "twice: {line}");
        }
    }
    samples
}

#[test]
fn the_figures_count_what_happened() {
    let mut farm = Farm::stopped();
    let textfile = farm.path("framepackd.prom");
    farm.configure(&format!("metrics: {{textfile: {}}}\n", textfile.display()));
    farm.start();
    let first = farm.wait_until("the file is there", |_| fs::read_to_string(&textfile).ok());
    assert_eq!(samples(&first)["framepackd_jobs{state=\"done\"}"], "0");
    farm.drop_job("cat.yaml", job("a cat"));
    farm.drop_job("oom.yaml", job("oom"));
    farm.report("cat");
    farm.report("oom");
    let told = farm.wait_until("both are counted", |farm| {
        let output = farm.ctl(&["metrics"]);
        assert_code(&output, 0);
        let told = samples(&String::from_utf8(output.stdout).unwrap());
        told.contains_key("framepackd_jobs_ended_total{state=\"failed\",class=\"oom\"}")
            .then_some(told)
    });
    assert_eq!(told["framepackd_jobs{state=\"done\"}"], "1");
    assert_eq!(told["framepackd_jobs{state=\"queued\"}"], "0");
    assert_eq!(
        told["framepackd_jobs_ended_total{state=\"done\",class=\"\"}"],
        "1"
    );
    assert_eq!(
        told["framepackd_worker{device=\"cpu\",state=\"down\"}"],
        "0"
    );
    assert_ne!(told["framepackd_free_bytes{folder=\"outputs\"}"], "0");
    assert_ne!(told["framepackd_frames_total"], "0");
    let second = farm.wait_until("the file is written again", |_| {
        fs::read_to_string(&textfile)
            .ok()
            .filter(|text| *text != first)
    });
    assert_eq!(samples(&second)["framepackd_jobs{state=\"done\"}"], "1");
}

#[test]
fn doctor_tells_what_is_wrong_and_what_to_do() {
    let farm = Farm::new();
    fs::remove_file(farm.path("bundle/transformer")).unwrap();
    let output = farm.ctl(&["doctor"]);
    assert_code(&output, 13);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("FAILED  models.bundle: "), "{told}");
    assert!(
        told.contains("fix: run `framepackctl models fetch original --to "),
        "{told}"
    );
    assert!(told.contains("ok      paths.jobs: "), "{told}");
    assert!(told.contains("ok      socket: "), "{told}");

    fs::remove_dir_all(farm.path("bundle")).unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/bundle"
        ))
        .arg(farm.path("bundle"))
        .status();
    assert!(copied.unwrap().success());
    farm.wait_until("all is well once the worker is up", |farm| {
        (farm.ctl(&["doctor"]).status.code() == Some(0)).then_some(())
    });

    fs::remove_dir_all(farm.path("outputs")).unwrap();
    let json = farm.ctl(&["doctor", "--json=name,state"]);
    assert_code(&json, 13);
    let checks: Vec<serde_json::Value> = serde_json::from_slice(&json.stdout).unwrap();
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| check["state"] == "failed")
        .collect();
    assert!(
        failed.iter().any(|check| check["name"] == "paths.outputs"),
        "{failed:?}"
    );
    assert_code(&Farm::stopped().ctl(&["doctor"]), 3);
}
