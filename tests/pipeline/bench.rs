//! `bench`: the figures of whole jobs and of decoding, with tiny models on the CPU.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::worker::fixtures;

/// What `framepack-worker bench SUBJECT ARGUMENT… --json` prints.
fn bench(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .arg("bench")
        .args(arguments)
        .args(["--device", "cpu", "--json"])
        .env("OMP_NUM_THREADS", "1")
        .output()
        .expect("the worker starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_positive(figures: &Value, names: &[&str]) {
    for name in names {
        let figure = figures[name].as_f64();
        assert!(figure.is_some_and(|secs| secs > 0.), "{name} in {figures}");
    }
}

const JOB_SECS: [&str; 6] = [
    "first_job_first_step_secs",
    "second_job_first_step_secs",
    "other_prompt_first_step_secs",
    "job_secs",
    "sampling_secs",
    "decode_secs",
];

#[test]
fn whole_jobs_are_timed() {
    let bundle = fixtures().join("../../models/demo");
    let size = ["--steps", "1", "--secs", "1.2", "--size", "128"];
    let figures = bench(&[&["job", "--bundle", bundle.to_str().unwrap()], &size[..]].concat());
    assert_positive(&figures, &JOB_SECS);
    assert_eq!([&figures["sections"], &figures["steps"]], [1, 1]);
    assert!(figures["section_idle_share"].is_null(), "{figures}");
    assert!(figures["hidden_secs"].is_null(), "{figures}");
    assert_eq!(figures["overlap"]["is_planned"], false, "{figures}");
}

/// A folder with nothing but the configurations of the tiny bundle's components.
fn configurations(dir: &tempfile::TempDir) -> PathBuf {
    let bundle = dir.path().join("configurations");
    for file in [
        "transformer/config.json",
        "vae/config.json",
        "text_encoder/config.json",
        "text_encoder_2/config.json",
        "image_encoder/config.json",
        "feature_extractor/preprocessor_config.json",
    ] {
        let copy = bundle.join(file);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(fixtures().join("bundle").join(file), copy).unwrap();
    }
    bundle
}

#[test]
fn jobs_run_without_any_weights() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = configurations(&dir);
    let tokenizers = fixtures().join("bundle");
    let figures = bench(&[
        "job",
        "--random-seed",
        "1",
        "--bundle",
        bundle.to_str().unwrap(),
        "--tokenizers",
        tokenizers.to_str().unwrap(),
        "--steps",
        "1",
        "--secs",
        "2.4",
        "--size",
        "128",
    ]);
    assert_positive(&figures, &JOB_SECS);
}

#[test]
fn decoding_is_timed() {
    let model = fixtures().join("bundle/vae");
    for (tiles, is_spatial) in [("plan", false), ("time", false), ("space", true)] {
        let figures = bench(&[
            "vae-decode",
            "--model",
            &format!("random:1:{}", model.display()),
            "--size",
            "48x48",
            "--latent-frames",
            "6",
            "--tiles",
            tiles,
            "--runs",
            "1",
        ]);
        assert_positive(&figures, &["decode_secs"]);
        assert_eq!(figures["frames"], 21);
        assert_eq!(figures["spatial_tiles"], is_spatial);
    }
}
