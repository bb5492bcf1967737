//! The VAE's settings from file, environment and profile to the worker; how it decodes, in `plan`, `show` and report.

use std::fs;

use serde_json::{Value, json};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
    settings::told,
};

fn stdout(farm: &Farm, arguments: &[&str]) -> String {
    String::from_utf8(farm.ctl(arguments).stdout).unwrap()
}

#[test]
fn a_jobs_reference_overrules_the_farms_chunk_and_everybody_says_so() {
    let mut farm = Farm::stopped();
    farm.configure("vae: {mode: reference, blend: 2}\n");
    farm.set(&[("VAE_CHUNK", "2")]);
    farm.start();
    let reason = "`vae.mode: reference` (from job file) decodes without it";

    let mode = "vae: {mode: reference}\n";
    farm.drop_job("own.yaml", job("a cat") + mode);
    let (outcome, report) = farm.report("own");
    assert_eq!(outcome, "done");
    assert_eq!(told(&farm, &report), json!({"vae.mode": "reference"}));
    let settings = report["settings"].as_array().unwrap();
    let chunk = settings
        .iter()
        .find(|setting| setting["key"] == "vae.chunk");
    assert_eq!(
        chunk,
        Some(&json!({
            "key": "vae.chunk",
            "value": 2,
            "origin": {"from": "environment", "variable": "FRAMEPACKD_VAE_CHUNK"},
            "inactive": reason,
        }))
    );
    let warning = format!("vae.chunk: inactive: {reason} (2, from FRAMEPACKD_VAE_CHUNK)");
    let warnings = report["job"]["warnings"].as_array().unwrap();
    assert!(
        warnings.contains(&Value::from(warning.clone())),
        "{warnings:?}"
    );
    let plan = &report["job"]["result"]["memory_plan"]["vae"];
    assert_eq!(
        (&plan["mode"], &plan["chunk_latent_frames"]),
        (&"chunked".into(), &2.into())
    );

    let shown = stdout(&farm, &["show", "own"]);
    for part in [
        &warning,
        "vae        decodes in chunks: 2 latent frames at a time, 3 before them decoded again, blended over 4 frames\n",
        "50 % more is computed than in the reference's tiles; 1.00 GiB of working memory\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let file = farm.write_job("planned.yaml", "a cat");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + mode).unwrap();
    let planned = stdout(&farm, &["plan", &file]);
    assert!(planned.contains(&warning), "{planned}");

    // For a job that says nothing, the environment is stronger than the file.
    farm.drop_job("farms.yaml", job("a dog"));
    let (_, report) = farm.report("farms");
    assert_eq!(told(&farm, &report), json!({"vae.chunk": 2}));
    let stronger = "inactive: `vae.chunk: 2` (from FRAMEPACKD_VAE_CHUNK) is stronger";
    let shown = stdout(&farm, &["config", "show", "--origin", "vae.mode"]);
    assert_eq!(
        shown,
        format!("vae.mode: \"reference\"  # configuration file; {stronger}\n")
    );
    let doctor = stdout(&farm, &["doctor"]);
    assert!(doctor.contains(&format!("is {stronger}")), "{doctor}");
    assert!(!doctor.contains("warning vae.chunk"), "{doctor}");
}

#[test]
fn a_job_that_contradicts_itself_is_rejected_with_key_and_place() {
    let farm = Farm::new();
    farm.drop_job(
        "both.yaml",
        job("a cat") + "vae: {mode: reference, chunk: 2}\n",
    );
    let (outcome, report) = farm.report("both");
    assert_eq!(outcome, "rejected");
    let problem = &report["problems"][0];
    assert_eq!(problem["path"], "vae.chunk");
    assert_eq!(problem["location"]["column"], 31);
    assert_eq!(
        problem["hint"],
        "remove one of the two, or write `vae: {mode: auto}`"
    );
    let file = farm.write_job("cat.yaml", "a cat");
    for command in ["submit", "plan"] {
        let set = ["--set", "vae.mode=reference", "--set", "vae.quality=on"];
        let output = farm.ctl(&[&[command, &file][..], &set].concat());
        assert_code(&output, 6);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("--set vae.quality: `vae.quality: on` contradicts `vae.mode: reference`"),
            "{said}"
        );
    }
}
