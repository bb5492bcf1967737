//! Starting: what is refused, and what is put right.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    process::Output,
};

use crate::fixture::{Farm, job};

impl Farm {
    /// Runs framepackd with this configuration until it exits by itself.
    pub(crate) fn refused(&self, extra: &[&str]) -> Output {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_framepackd"));
        command
            .arg("--config")
            .arg(self.path("framepackd.yaml"))
            .args(extra)
            .output()
            .unwrap()
    }

    pub(crate) fn replace_in_config(&self, from: &str, to: &str) {
        let path = self.path("framepackd.yaml");
        let config = fs::read_to_string(&path).unwrap();
        assert!(config.contains(from));
        fs::write(path, config.replace(from, to)).unwrap();
    }
}

#[track_caller]
pub(crate) fn assert_fails(output: &Output, expected: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains(expected),
        "{expected:?} is not in\n{stderr}"
    );
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let farm = Farm::new();
    assert_fails(
        &farm.refused(&[]),
        "another framepackd uses this state directory",
    );
    assert_fails(&farm.refused(&[]), "[FP8005]");
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(
        farm.report("cat").0,
        "done",
        "the first one is not disturbed"
    );
}

#[test]
fn a_second_daemon_on_the_same_socket_is_refused() {
    let farm = Farm::new();
    farm.replace_in_config("state: state", "state: state2");
    assert_fails(&farm.refused(&[]), "another framepackd answers");
    assert_fails(&farm.refused(&[]), "[FP8008]");
}

#[test]
fn a_socket_left_by_a_dead_daemon_is_replaced() {
    let mut farm = Farm::stopped();
    fs::create_dir(farm.path("run")).unwrap();
    drop(UnixListener::bind(farm.socket()).unwrap());
    assert!(farm.socket().exists());
    farm.start();
    assert_eq!(
        fs::metadata(farm.socket()).unwrap().permissions().mode() & 0o777,
        0o660
    );
}

#[test]
fn a_file_in_the_sockets_place_is_not_removed() {
    let farm = Farm::stopped();
    fs::create_dir(farm.path("run")).unwrap();
    fs::write(farm.socket(), "precious").unwrap();
    assert_fails(&farm.refused(&[]), "is not a socket");
    assert_eq!(fs::read(farm.socket()).unwrap(), b"precious");
}

#[test]
fn a_missing_worker_is_said_at_once() {
    let farm = Farm::stopped();
    farm.replace_in_config("fake_worker", "no_worker");
    assert_fails(&farm.refused(&[]), "no worker program at");
    assert_fails(&farm.refused(&[]), "[FP8010]");
}

#[test]
fn folders_behind_links_are_the_folders_themselves() {
    let mut farm = Farm::stopped();
    symlink(farm.path("jobs"), farm.path("linked")).unwrap();
    farm.replace_in_config("jobs: jobs", "jobs: linked");
    farm.start();
    let by_configured_path =
        job("one").replace("photo.png", farm.path("linked/photo.png").to_str().unwrap());
    let by_real_path =
        job("two").replace("photo.png", farm.path("jobs/photo.png").to_str().unwrap());
    farm.drop_job("a.yaml", by_configured_path);
    farm.drop_job("b.yaml", by_real_path);
    farm.drop_prompt("c.yaml", "three");
    for stem in ["a", "b", "c"] {
        assert_eq!(farm.report(stem).0, "done", "{stem}");
    }
}

#[test]
fn the_configuration_can_be_checked() {
    let farm = Farm::stopped();
    assert!(farm.refused(&["--check-config"]).status.success());
    assert!(!farm.path("state").exists(), "checking changes nothing");
    farm.replace_in_config("outputs: outputs", "outptus: outputs");
    assert_fails(&farm.refused(&["--check-config"]), "outptus");
}

/// What is spoilt before a start, and how the daemon says so.
struct Refusal {
    code: &'static str,
    says: &'static [&'static str],
    spoil: fn(&Farm),
}

const REFUSALS: [Refusal; 8] = [
    Refusal {
        code: "FP8001",
        says: &["reading ", "(os error 2)", "--config FILE"],
        spoil: |farm| fs::remove_file(farm.path("framepackd.yaml")).unwrap(),
    },
    Refusal {
        code: "FP8002",
        says: &["line 1, column 1: path: unknown key"],
        spoil: |farm| farm.replace_in_config("paths:", "path:"),
    },
    Refusal {
        code: "FP8002",
        says: &["paths.state: ", "is inside paths.jobs"],
        spoil: |farm| farm.replace_in_config("state: state", "state: jobs/state"),
    },
    Refusal {
        code: "FP8003",
        says: &["paths.outputs: ", "is also paths.jobs"],
        spoil: |farm| {
            symlink(farm.path("jobs"), farm.path("linked")).unwrap();
            farm.replace_in_config("outputs: outputs", "outputs: linked");
        },
    },
    Refusal {
        code: "FP8004",
        says: &["creating ", "blocked/outputs"],
        spoil: |farm| {
            fs::write(farm.path("blocked"), "a file").unwrap();
            farm.replace_in_config("outputs: outputs", "outputs: blocked/outputs");
        },
    },
    Refusal {
        code: "FP8009",
        says: &["is not a socket"],
        spoil: |farm| fs::create_dir_all(farm.socket()).unwrap(),
    },
    Refusal {
        code: "FP8011",
        says: &["@no-such-group does not exist"],
        spoil: |farm| farm.configure("socket: {submit: '@no-such-group'}\n"),
    },
    Refusal {
        code: "FP8012",
        says: &["bundle/framepack.json", "steps: 0"],
        spoil: |farm| {
            fs::write(farm.path("bundle/framepack.json"), "{\"steps\": 0}").unwrap();
        },
    },
];

#[test]
fn each_reason_not_to_start_has_its_code() {
    for Refusal { code, says, spoil } in REFUSALS {
        let farm = Farm::stopped();
        spoil(&farm);
        let output = farm.refused(&[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{code}: {stderr}");
        let last = stderr.split("error: ").last().unwrap();
        assert!(last.contains(&format!("[{code}]\nhint: ")), "{stderr}");
        for words in says {
            assert_eq!(
                last.matches(words).count(),
                1,
                "{code}: {words:?} in\n{last}"
            );
        }
    }
}
