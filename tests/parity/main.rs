//! Parity with the reference, through the worker's own commands where there is one.
//!
//! `tests/fixtures/parity/manifest.json` lists every case: a tiny checkpoint, the inputs, and what
//! diffusers and transformers made of them (`tests/oracle` says how). A new case is a new entry there.

mod manifest;
mod tensors;
mod trace;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use manifest::{Forward, Manifest};
use sha2::{Digest, Sha256};
use tensors::{Difference, Tensors};
use trace::Trace;

/// The step cache's trace of the case that ran last.
const TRACE: &str = "trace.json";

#[test]
fn transformer() {
    forward("transformer");
}

#[test]
fn transformer_in_the_references_order() {
    forward_with("transformer", &["--kernels", "off"]);
}

#[test]
fn vae_encode() {
    forward("vae-encode");
}

#[test]
fn vae_decode() {
    forward("vae-decode");
}

#[test]
fn llama() {
    forward("llama");
}

#[test]
fn clip() {
    forward("clip");
}

#[test]
fn siglip() {
    forward("siglip");
}

#[test]
fn sample() {
    forward("sample");
}

#[test]
fn video() {
    forward("video");
}

#[test]
fn tokenize() {
    let manifest = Manifest::load();
    assert!(
        !manifest.tokenize.is_empty(),
        "the manifest has no token cases"
    );
    for case in &manifest.tokenize {
        let model = Manifest::path(&case.model);
        let printed = succeed(
            worker()
                .arg("tokenize")
                .arg("--model")
                .arg(model)
                .args(["--text", &case.text]),
        );
        let ids: manifest::Ids =
            serde_json::from_slice(&printed.stdout).expect("tokenize prints JSON");
        assert_eq!(
            ids.llama, case.llama,
            "llama ids of {:?} by {}",
            case.text, case.model
        );
        assert_eq!(
            ids.clip, case.clip,
            "clip ids of {:?} by {}",
            case.text, case.model
        );
    }
}

#[test]
fn preprocess() {
    let manifest = Manifest::load();
    assert!(
        !manifest.preprocess.is_empty(),
        "the manifest has no image cases"
    );
    let directory = tempfile::tempdir().expect("a temporary directory");
    let png = directory.path().join("out.png");
    for case in &manifest.preprocess {
        succeed(
            worker()
                .arg("preprocess")
                .arg("--image")
                .arg(Manifest::path(&case.image))
                .args(["--bucket", &case.bucket.to_string()])
                .arg("--output")
                .arg(&png),
        );
        let image = image::open(&png)
            .expect("preprocess writes a PNG")
            .into_rgb8();
        let what = format!("{} at bucket {}", case.image, case.bucket);
        assert_eq!(
            (image.height(), image.width()),
            (case.height, case.width),
            "size of {what}"
        );
        let digest = Sha256::digest(image.as_raw())
            .iter()
            .fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes any text");
                hex
            });
        assert_eq!(digest, case.sha256, "bytes of {what}");
    }
}

/// Runs every case of a component before judging, so that a failure shows the whole table.
fn forward(component: &str) {
    forward_with(component, &[]);
}

/// The same with more flags for the worker.
fn forward_with(component: &str, flags: &[&str]) {
    let manifest = Manifest::load();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut table = String::new();
    let mut failed = 0;
    for case in manifest
        .forward
        .iter()
        .filter(|case| case.component == component)
    {
        let rows = run(case, flags, directory.path());
        failed += rows.iter().filter(|row| !row.within).count();
        for row in rows {
            writeln!(table, "{row}").expect("a String takes any text");
        }
        if let Some(difference) = trace_difference(case, directory.path()) {
            failed += 1;
            writeln!(table, "{difference}").expect("a String takes any text");
        }
    }
    assert!(!table.is_empty(), "the manifest has no {component} case");
    eprint!("{table}");
    assert_eq!(failed, 0, "outputs beyond their tolerance:\n{table}");
}

fn run(case: &Forward, flags: &[&str], directory: &Path) -> Vec<Difference> {
    let output = directory.join("output.safetensors");
    let mut forward = worker();
    forward
        .args(["forward", &case.component])
        .arg("--model")
        .arg(Manifest::path(&case.model))
        .arg("--inputs")
        .arg(Manifest::path(&case.inputs))
        .arg("--output")
        .arg(&output)
        .args(["--device", "cpu"])
        .args(case.flags_with_dtype())
        .args(flags);
    if case.trace.is_some() {
        forward.arg("--cache-trace").arg(directory.join(TRACE));
        // Many steps of a tiny model: threads would wait for each other longer than they compute.
        forward.env("OMP_NUM_THREADS", "1");
    }
    succeed(&mut forward);
    let expected = Tensors::read(&Manifest::path(&case.expected));
    let found = Tensors::read(&output);
    expected.compare(&found, case)
}

/// What a step cache did other than the reference's; `run` wrote the trace.
fn trace_difference(case: &Forward, directory: &Path) -> Option<String> {
    let expected = Trace::read(&Manifest::path(case.trace.as_ref()?));
    let found = Trace::read(&directory.join(TRACE));
    (!expected.matches(&found)).then(|| {
        format!(
            "{} steps FAILED\n  found    {found:?}\n  expected {expected:?}",
            case.name
        )
    })
}

/// MKL's `exp` and `sin` differ in the last bit from processor to processor, which a timestep of 1000 makes a thousand times
/// as much: goldens are of code that is the same on all of them.
fn worker() -> Command {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_framepack-worker"));
    worker.env("MKL_CBWR", "COMPATIBLE");
    worker
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the worker starts");
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
