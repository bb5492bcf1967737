//! A first video with the demo's models: by `run` alone, by the folder that `init` writes, and with models that come late.

use std::{fs, process::Command};

use framepack_jobs::StateName;

use super::probe;
use crate::{
    client::assert_code,
    fixture::{Farm, binary},
    user::User,
};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo");
const PHOTO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../jobs/examples/inputs/astronaut.jpg"
);
/// As little as makes a video.
const SHORT: [&str; 8] = [
    "--seconds",
    "1",
    "--set",
    "steps=2",
    "--set",
    "size.bucket=128",
    "--set",
    "latent_window=3",
];

fn user() -> User {
    User::with_worker(&binary("framepack-worker"))
}

#[test]
fn one_command_makes_a_video() {
    let user = user();
    let mut run = user.command("framepackctl");
    run.args([
        "run",
        "--models",
        "demo",
        "--image",
        PHOTO,
        "--prompt",
        "A portrait.",
    ]);
    let output = run.args(SHORT).args(["-o", "out.mp4"]).output().unwrap();
    assert_code(&output, 0);
    let video = user.path("here/out.mp4");
    assert_eq!(output.stdout, format!("{}\n", video.display()).as_bytes());
    // Two sections of three latent frames each.
    assert_eq!(probe(video.to_str().unwrap())["nb_read_frames"], "25");
    assert!(user.states().is_empty(), "{:?}", user.states());
}

#[test]
fn what_init_writes_works_as_its_readme_says() {
    let user = user();
    let init = user
        .command("framepackctl")
        .args(["init", "farm"])
        .output()
        .unwrap();
    assert_code(&init, 0);
    let readme = fs::read_to_string(user.path("here/farm/README.md")).unwrap();
    let commands: Vec<&str> = readme
        .split('`')
        .filter(|code| code.starts_with("framepack") && code.contains(' '))
        .collect();
    let [daemon, run, doctor, _fetch] = commands[..] else {
        panic!("{commands:?}");
    };
    let command = |line: &str| {
        let mut words = line.split(' ');
        let mut command = user.command(words.next().unwrap());
        command.args(words).current_dir(user.path("here/farm"));
        command
            .env_remove("FRAMEPACKD_SOCKET")
            .env("FRAMEPACKD_STEPS", "2");
        command
    };
    let config = command(daemon).args(["config", "check"]).output().unwrap();
    assert_code(&config, 0);
    let mut daemon = Daemon(command(daemon).spawn().unwrap());
    while !user.path("here/farm/framepackd.sock").exists() {
        assert_eq!(
            daemon.0.try_wait().unwrap(),
            None,
            "the daemon ended by itself"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let output = command(run).output().unwrap();
    assert_code(&output, 0);
    let video = String::from_utf8(output.stdout).unwrap();
    assert_eq!(probe(video.trim_end())["nb_read_frames"], "37");
    assert_code(&command(doctor).output().unwrap(), 0);
}

/// Killed in the end.
struct Daemon(std::process::Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn jobs_wait_for_models_that_are_not_there_yet() {
    let models = tempfile::tempdir().unwrap();
    let mut farm = Farm::with_worker(&binary("framepack-worker"), models.path());
    // Nobody says where they are: they are expected in the Hub's cache.
    let config = fs::read_to_string(farm.path("framepackd.yaml")).unwrap();
    let (before, after) = config.split_once("models:\n").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    fs::write(farm.path("framepackd.yaml"), format!("{before}{after}")).unwrap();
    farm.set_environment("HF_HUB_CACHE", models.path().join("hub"));
    fs::create_dir(models.path().join("hub")).unwrap();
    fs::write(models.path().join("hub/version.txt"), "1").unwrap();
    fs::copy(PHOTO, farm.path("jobs/photo.png")).unwrap();
    farm.start();

    let says = |arguments: &[&str]| String::from_utf8(farm.ctl(arguments).stdout).unwrap();
    let remedy = "run `framepackctl models fetch original`";
    assert!(says(&["ping"]).contains(remedy), "{}", says(&["ping"]));
    assert!(says(&["doctor"]).contains(remedy), "{}", says(&["doctor"]));
    let yaml = "api: framepack/v1\nstart: {image: photo.png}\nlength: {seconds: 1}\nsteps: 2\nsize: {bucket: 128}\n";
    let id = farm.queue_job("cat", yaml.to_owned());
    let number = id.to_string();
    for command in [&["list"][..], &["show", &number]] {
        farm.wait_until("it waits again once it was tried", |farm| {
            let told = String::from_utf8(farm.ctl(command).stdout).unwrap();
            (told.contains("FP3012") && told.contains("`framepackctl models fetch")).then_some(())
        });
    }
    assert_eq!(farm.show(&number)[0].runs.attempts, 0);

    let copied = Command::new("cp")
        .args(["-r", DEMO])
        .arg(models.path().join("demo"))
        .status();
    assert!(copied.unwrap().success());
    for part in fs::read_dir(models.path().join("demo")).unwrap() {
        let part = part.unwrap();
        fs::rename(
            part.path(),
            models.path().join("hub").join(part.file_name()),
        )
        .unwrap();
    }
    assert_eq!(farm.end_of(id), StateName::Done);
    assert_eq!(farm.show(&number)[0].runs.attempts, 1);
    farm.wait_until("nothing is wrong any more", |farm| {
        let told = String::from_utf8(farm.ctl(&["ping"]).stdout).unwrap();
        (!told.contains("degraded")).then_some(())
    });
}
