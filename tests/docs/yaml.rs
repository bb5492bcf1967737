//! A YAML block is a job file, or (a part of) a configuration or of a job.

use std::{fs, path::Path, process::Command};

use framepack_jobs::{JobSpec, Surroundings, settings::Farm};

/// What a configuration must have, and a part of one lacks.
const PATHS: &str = "paths: {jobs: jobs, state: state, outputs: videos, socket: s.sock}\n";
const JOB: &str = "api: framepack/v1\nstart: {image: cat.jpg}\n";

/// What is wrong with a block.
pub(crate) fn check(text: &str, programs: &Path) -> Result<(), String> {
    if text.lines().any(|line| line.starts_with("api:")) {
        return job(text);
    }
    let as_configuration = configuration(text, programs);
    let as_job = job(&format!("{JOB}{text}"));
    match (as_configuration, as_job) {
        (Err(why), Err(other)) => Err(format!(
            "as a configuration: {why}\nas a part of a job: {other}"
        )),
        _ => Ok(()),
    }
}

fn job(text: &str) -> Result<(), String> {
    let surroundings = Surroundings {
        file_stem: "job".to_owned(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    };
    let validated = JobSpec::parse(text).and_then(|spec| spec.validate(&surroundings));
    let validated = validated.map_err(|problems| problems.to_string())?;
    if validated.warnings.is_empty() {
        Ok(())
    } else {
        Err(validated.warnings.join("\n"))
    }
}

fn configuration(text: &str, programs: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("farm.yaml");
    let is_whole = text.lines().any(|line| line.starts_with("paths:"));
    let paths = if is_whole { "" } else { PATHS };
    // `{}`, nothing at all, has no keys behind it.
    let text = if text.lines().any(|line| line == "{}") {
        ""
    } else {
        text
    };
    fs::write(&file, format!("{paths}{text}")).unwrap();
    let output = Command::new(programs.join("framepackd"))
        .args(["config", "check", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn wrong_keys_and_values_are_mistakes() {
    let programs = crate::programs();
    for right in [
        "api: framepack/v1\nstart: {image: a.png}\nsteps: 3\n",
        "models:\n  bundle: models/demo\nsteps: 3\n",
        "window: {hours: \"22:00-07:00\", at_end: section}\n",
        "{}\n",
    ] {
        assert_eq!(check(right, &programs), Ok(()), "{right}");
    }
    for wrong in [
        "api: framepack/v1\nstart: {image: a.png}\nstepps: 3\n",
        "api: framepack/v1\nprompt: x\n",
        "models:\n  bundel: models/demo\n",
        "window: {hours: \"22:00-07:00\", at_end: now}\n",
        "steps: 1000\n",
    ] {
        assert!(check(wrong, &programs).is_err(), "{wrong}");
    }
}
