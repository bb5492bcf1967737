//! `framepackctl run` where no daemon answers: it starts one for its job, and nothing of that is left afterwards.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use framepack_jobs::StateName;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    client::assert_code,
    fixture::{Farm, binary, job},
    user::{DEADLINE, User},
};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn wait_until_gone(daemon: Pid) {
    let start = Instant::now();
    while kill(daemon, None).is_ok() {
        assert!(start.elapsed() < DEADLINE, "the daemon goes on");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_photo_and_a_sentence_become_a_video_here() {
    let user = User::new();
    let output = user.run("a cat").output().unwrap();
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
    let output = user.run("a cat").args(["--json=output"]).output().unwrap();
    assert_code(&output, 0);
    let again = video.with_file_name(format!("{}-2.mp4", video.file_stem().unwrap().display()));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["output"], again.to_str().unwrap());
    for (arguments, code) in [
        (&["-o", "mine.mp4"][..], 0),
        (&["-o", "mine.mp4"], 10),
        (&["-o", "mine.mp4", "--force"], 0),
        (&["-o", "missing/mine.mp4"], 6),
    ] {
        assert_code(&user.run("a cat").args(arguments).output().unwrap(), code);
    }
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
fn a_job_that_fails_leaves_its_state_and_says_where() {
    let user = User::new();
    let output = user
        .run("nan")
        .args(["--set", "retry.max=0"])
        .output()
        .unwrap();
    assert_code(&output, 7);
    let [state] = user.states().try_into().unwrap();
    let told = stderr(&output);
    assert!(told.contains(state.to_str().unwrap()), "{told}");
    assert!(told.contains("error: "), "{told}");
    assert!(state.join("framepackd.log").is_file());
    // What is said there to go on with is a configuration.
    let config = state.join("framepackd.yaml");
    let mut check = user.command("framepackd");
    check
        .env_remove("FRAMEPACKD_SOCKET")
        .arg("--config")
        .arg(config);
    assert_code(&check.args(["config", "check"]).output().unwrap(), 0);
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
    let output = run.args(["run", "--image", "photo.png"]).output().unwrap();
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
fn the_daemon_goes_with_a_client_that_is_killed() {
    let user = User::new();
    let (mut child, daemon) = user.start("wait /nonexistent");
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until_gone(daemon);
}

#[test]
fn interrupted_without_a_terminal_the_job_is_cancelled() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let user = User::new();
        let (child, daemon) = user.start("wait /nonexistent");
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_code(&output, 8);
        assert!(stderr(&output).contains("job 1 is cancelled"), "{output:?}");
        wait_until_gone(daemon);
        assert!(user.states().is_empty(), "{:?}", user.states());
    }
}

#[test]
fn a_job_of_a_daemon_that_was_there_goes_on() {
    let farm = Farm::new();
    let file = farm.path("go");
    let prompt = format!("wait {}", file.display());
    let child = Command::new(binary("framepackctl"))
        .arg("--socket")
        .arg(farm.socket())
        .args(["run", &farm.write_job("cat.yaml", &prompt)])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    farm.wait_until("it runs", |farm| (!farm.renders().is_empty()).then_some(()));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 130);
    let told = stderr(&output);
    let follow = format!("framepackctl --socket {} wait 1", farm.socket().display());
    assert!(told.contains(&follow), "{told}");
    fs::write(file, "").unwrap();
    assert_eq!(farm.end_of(farm.show("1")[0].id), StateName::Done);
}

#[test]
fn a_daemon_that_is_let_go_ends_when_its_jobs_have() {
    let mut farm = Farm::stopped();
    let mut leash = farm.start_owned();
    let file = farm.path("go");
    let id = farm.queue_job("cat", job(&format!("wait {}", file.display())));
    farm.wait_until("it runs", |farm| (!farm.renders().is_empty()).then_some(()));
    writeln!(leash, "finish").unwrap();
    drop(leash);
    farm.wait_until("it has heard", |farm| {
        farm.log().contains("has left").then_some(())
    });
    assert_eq!(
        farm.show(&id.to_string())[0].state.name(),
        StateName::Running
    );
    fs::write(file, "").unwrap();
    assert!(farm.ended_by_itself().success());
    let videos = farm.outputs();
    assert!(
        videos.iter().any(|name| name.starts_with("cat-")),
        "{videos:?}"
    );
}
