//! `framepackctl run` where no daemon answers: it starts one for its job, and nothing of that is left afterwards.

mod unfinished;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Output,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{client::assert_code, user::User};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_photo_and_a_sentence_become_a_video_here() {
    let user = User::new();
    let output = user.run("script step_ms=50").output().unwrap();
    assert_code(&output, 0);
    let told = stdout(&output);
    let video = Path::new(told.trim_end());
    assert_eq!(video.parent(), Some(&*user.path("here")), "{told}");
    assert!(
        video
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("photo-")
    );
    assert!(video.metadata().unwrap().len() > 0);
    assert!(stderr(&output).contains("job 1: section 1/2"), "{output:?}");
    assert!(user.states().is_empty(), "{:?}", user.states());

    // The same once more, where the name is taken; and where a name was asked for.
    let output = user
        .run("script step_ms=50")
        .args(["--json=output"])
        .output()
        .unwrap();
    assert_code(&output, 0);
    let again = video.with_file_name(format!("{}-2.mp4", video.file_stem().unwrap().display()));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["output"], again.to_str().unwrap());
    for (arguments, code) in [
        (&["-o", "mine.mp4"][..], 0),
        (&["-o", "mine.mp4"], 10),
        (&["-o", "mine.mp4", "--force"], 0),
        (&["-o", "missing/mine.mp4"], 6),
        (&["-o", "mine.mkv"], 2),
        (&["-o", "12.mp4", "--set", "output.dir=sub"], 0),
        (&["-o", "{name}.mp4", "--set", "output.dir=sub"], 0),
    ] {
        assert_code(&user.run("a cat").args(arguments).output().unwrap(), code);
    }
    for name in ["mine.mp4", "{name}.mp4", "12.mp4"] {
        assert!(user.path("here").join(name).is_file(), "{name}");
    }
    assert!(user.states().is_empty(), "{:?}", user.states());
}

#[test]
fn a_folder_that_has_the_state_in_it_gets_its_video_too() {
    let user = User::new();
    let here = user.path("");
    let mut run = user.run("a cat");
    let output = run.current_dir(&here).output().unwrap();
    assert_code(&output, 0);
    let video = PathBuf::from(stdout(&output).trim_end());
    assert_eq!(
        video.parent(),
        here.canonicalize().ok().as_deref(),
        "{output:?}"
    );
    assert!(video.is_file());
    assert!(user.states().is_empty(), "{:?}", user.states());
}

#[test]
fn what_another_daemon_is_told_by_the_environment_does_not_count() {
    let user = User::new();
    let mut run = user.run("a cat");
    run.env("FRAMEPACKD_PATHS_STATE", user.path("other"));
    run.env("FRAMEPACKD_METRICS_TEXTFILE", user.path("other.prom"));
    assert_code(&run.output().unwrap(), 0);
    assert!(!user.path("other").exists() && !user.path("other.prom").exists());
}

#[test]
fn settings_of_jobs_in_the_shell_do_not_count() {
    let user = User::new();
    let mut run = user.run("a cat");
    // Each of them would be refused by a daemon that reads it.
    for name in [
        "FRAMEPACKD_STEPS",
        "FRAMEPACKD_NO_SUCH_KEY",
        "FRAMEPACK_VAE_CHUNK_SIZE",
        "FRAMEPACK_USE_BNB",
        "PYTORCH_ENABLE_FLASH_SDP",
        "PYTORCH_CUDA_ALLOC_CONF",
    ] {
        run.env(name, "nonsense");
    }
    assert_code(&run.output().unwrap(), 0);
}

#[test]
fn a_mistake_in_what_does_count_is_told_without_a_file_that_is_gone() {
    let user = User::new();
    let mut run = user.run("a cat");
    run.env("FRAMEPACKD_WORKER_DEVICE", "cpu");
    let output = run.output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    let told = stderr(&output);
    let expected =
        "FRAMEPACKD_WORKER_DEVICE: unknown variable (did you mean `FRAMEPACKD_WORKER_DEVICES`?)";
    assert!(told.contains(expected), "{told}");
    assert!(!told.contains("framepackd.yaml"), "{told}");
    assert!(user.states().is_empty(), "{:?}", user.states());
}

#[test]
fn what_the_job_waits_for_is_said() {
    let user = User::new();
    let mut run = user.run("a cat");
    let mut child = run
        .args(["--set", "not_before=2999-01-01T00:00:00Z"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.find(|line| line.as_ref().unwrap().starts_with("job 1 waits: "));
    let said = said.unwrap().unwrap();
    assert!(said.contains("2999"), "{said}");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_daemon_that_was_named_is_not_replaced_by_another() {
    let user = User::new();
    let mut run = user.command("framepackctl");
    let output = run.args(["run", "--image", "photo.png"]).output().unwrap();
    assert_code(&output, 3);
    let told = stderr(&output);
    assert!(
        told.contains("[FP1002]") && told.contains("FRAMEPACKD_SOCKET"),
        "{told}"
    );
}

#[test]
fn a_job_that_is_refused_leaves_nothing() {
    let user = User::new();
    let output = user
        .run("a cat")
        .args(["--set", "steps=0"])
        .output()
        .unwrap();
    assert_code(&output, 6);
    assert!(
        stderr(&output).contains("steps: 0 is out of range"),
        "{output:?}"
    );
    assert!(user.states().is_empty(), "{:?}", user.states());
}

#[test]
fn models_that_are_missing_are_said_with_what_gets_them() {
    let user = User::new();
    let mut run = user.command("framepackctl");
    let run = run.args(["run", "--image", "photo.png", "--models", "cache"]);
    let output = run.output().unwrap();
    assert_code(&output, 1);
    let told = stderr(&output);
    for part in [
        "home/.cache/huggingface/hub: no such folder [FP3012]",
        "`framepackctl models fetch`",
        "`--models demo`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(user.states().is_empty(), "{:?}", user.states());
    // A mistake of the user's own is told first.
    let output = run.args(["--set", "steps=0"]).output().unwrap();
    assert_code(&output, 6);
}

#[test]
fn a_daemon_that_does_not_start_is_quoted() {
    let user = User::new();
    let mut run = user.run("a cat");
    let output = run
        .env("FRAMEPACKD_WORKER_RECYCLE_AFTER", "soon")
        .output()
        .unwrap();
    assert_code(&output, 1);
    let told = stderr(&output);
    assert!(
        told.contains("FP1018") && told.contains("FRAMEPACKD_WORKER_RECYCLE_AFTER"),
        "{told}"
    );
}

#[test]
fn a_job_that_could_never_begin_is_refused() {
    let user = User::new();
    let output = user
        .run("a cat")
        .args(["--set", "after=5"])
        .output()
        .unwrap();
    assert_code(&output, 2);
    assert!(user.states().is_empty(), "{:?}", user.states());
}

#[test]
fn standard_error_that_is_closed_stops_nothing() {
    let user = User::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = user.run("script step_ms=20").stderr(full).output().unwrap();
    assert_code(&output, 0);
    assert!(Path::new(stdout(&output).trim_end()).is_file());
}
