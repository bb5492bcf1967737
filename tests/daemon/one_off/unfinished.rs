//! Runs that end before their job does, and what goes on with it.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use framepack_jobs::StateName;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{stderr, stdout};
use crate::{
    client::assert_code,
    fixture::{Farm, binary, entries, job},
    user::{DEADLINE, User},
};

fn wait_until_gone(daemon: Pid) {
    let start = Instant::now();
    while kill(daemon, None).is_ok() {
        assert!(start.elapsed() < DEADLINE, "the daemon goes on");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_job_that_fails_leaves_its_state_and_says_where() {
    let user = User::new();
    let output = user
        .run("nan 1")
        .args(["--set", "retry.max=0"])
        .output()
        .unwrap();
    assert_code(&output, 7);
    let [state] = user.states().try_into().unwrap();
    let told = stderr(&output);
    assert!(told.contains("error: "), "{told}");
    assert!(state.join("framepackd.log").is_file());
    let command = format!("framepackctl run --resume {}", state.display());
    assert!(told.contains(&command), "{told}");

    // The next run says what is there; and what was said goes on.
    let next = user.run("a cat").output().unwrap();
    assert!(stderr(&next).contains(&command), "{next:?}");
    let resumed = user.resume(&state).output().unwrap();
    assert_code(&resumed, 0);
    let video = PathBuf::from(stdout(&resumed).trim_end());
    assert_eq!(video.parent(), Some(&*user.path("here")));
    assert!(video.metadata().unwrap().len() > 0);
    assert!(user.states().is_empty(), "{:?}", user.states());
    // There is nothing any more to go on with.
    let gone = user.resume(&state).output().unwrap();
    assert_code(&gone, 2);
}

#[test]
fn a_daemon_that_is_killed_is_named_and_its_job_goes_on() {
    let user = User::new();
    let go = user.path("go");
    let mut run = user.run(&format!("wait {}", go.display()));
    let child = run.args(["-o", "mine.mp4"]).spawn().unwrap();
    kill(user.busy_daemon(), Signal::SIGKILL).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 1);
    let told = stderr(&output);
    assert!(
        told.contains("[FP1018]") && told.contains("--resume"),
        "{told}"
    );
    let [state] = user.states().try_into().unwrap();
    fs::write(&go, "").unwrap();
    let resumed = user.resume(&state).output().unwrap();
    assert_code(&resumed, 0);
    assert_eq!(
        stdout(&resumed),
        format!("{}\n", user.path("here/mine.mp4").display())
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
fn interrupted_without_a_terminal_the_job_stops_and_goes_on_later() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let user = User::new();
        let go = user.path("go");
        let (child, daemon) = user.start(&format!("wait {}", go.display()));
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_code(&output, 130);
        wait_until_gone(daemon);
        let [state] = user.states().try_into().unwrap();
        assert!(stderr(&output).contains("--resume"), "{output:?}");
        fs::write(&go, "").unwrap();
        assert_code(&user.resume(&state).output().unwrap(), 0);
        assert!(user.states().is_empty(), "{:?}", user.states());
    }
}

#[test]
fn a_signal_that_was_ignored_before_is_ignored() {
    let user = User::new();
    let go = user.path("go");
    let run = user.run(&format!("wait {}", go.display()));
    // The shell is replaced by framepackctl, and hands on what it ignores.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]);
    shell.arg(run.get_program()).args(run.get_args());
    shell.current_dir(user.path("here")).stdin(Stdio::null());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let child = shell.spawn().unwrap();
    user.busy_daemon();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGHUP).unwrap();
    fs::write(&go, "").unwrap();
    assert_code(&child.wait_with_output().unwrap(), 0);
}

#[test]
fn a_strangers_file_keeps_its_name() {
    let user = User::new();
    let go = user.path("go");
    let mut run = user.run(&format!("wait {}", go.display()));
    let child = run.args(["-o", "mine.mp4"]).spawn().unwrap();
    user.busy_daemon();
    let strangers = user.path("here/mine.mp4");
    fs::write(&strangers, "precious").unwrap();
    fs::write(&go, "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 10);
    assert_eq!(fs::read_to_string(&strangers).unwrap(), "precious");
    // The video is kept, and gets another name.
    let [state] = user.states().try_into().unwrap();
    let output = user
        .resume(&state)
        .args(["-o", "other.mp4"])
        .output()
        .unwrap();
    assert_code(&output, 0);
    assert!(user.path("here/other.mp4").metadata().unwrap().len() > 8);
    assert_eq!(entries(&user.path("here")).len(), 3);
}

#[test]
fn a_folder_that_is_not_a_runs_is_left_alone() {
    let user = User::new();
    let farm = user.path("farm");
    fs::create_dir(&farm).unwrap();
    for name in ["framepackd.yaml", "framepackd.log"] {
        fs::write(farm.join(name), "").unwrap();
    }
    assert_code(&user.resume(&farm).output().unwrap(), 2);
    assert_eq!(entries(&farm).len(), 2);
    // Nor is one that another framepackctl has.
    let (mut child, _) = user.start("wait /nonexistent");
    let [state] = user.states().try_into().unwrap();
    let output = user.resume(&state).output().unwrap();
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("another framepackctl"),
        "{output:?}"
    );
    let next = user.run("a cat").output().unwrap();
    assert!(!stderr(&next).contains("earlier"), "{next:?}");
    child.kill().unwrap();
    child.wait().unwrap();
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
