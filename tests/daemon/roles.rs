//! Roles: who the socket serves, and with what. The tests' own user is what the daemon makes of it by its configuration.

use std::{fs, process::Output};

use nix::unistd::{User, geteuid};

use crate::{client::assert_code, fixture::Farm, start::assert_fails};

/// A daemon with these roles.
fn farm(roles: &str) -> Farm {
    let mut farm = Farm::stopped();
    farm.configure(&format!("socket: {roles}\n"));
    fs::create_dir(farm.path("run")).unwrap();
    // Without the client's handshake it can't be seen that the daemon is up, and that any client may do.
    farm.start();
    farm
}

fn me() -> String {
    User::from_uid(geteuid()).unwrap().unwrap().name
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_reader_looks_and_nothing_else() {
    let farm = farm(&format!("{{admin: [], submit: [], read: {}}}", me()));
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    assert_code(&farm.ctl(&["list"]), 0);
    assert_code(&farm.ctl(&["wait", "cat"]), 0);
    assert_code(&farm.ctl(&["plan", "1"]), 10);
    let file = farm.write_job("dog.yaml", "a dog");
    for refused in [
        &["submit", &file][..],
        &["plan", &file],
        &["cancel", "cat"],
        &["edit", "cat"],
        &["set", "cat", "steps=3"],
        &["retry", "cat", "--set", "steps=3"],
        &["rm", "cat"],
    ] {
        let output = farm.ctl(refused);
        assert_code(&output, 5);
        assert!(
            stderr(&output).contains("this needs the role submit; yours is read [FP1013]"),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn one_who_submits_may_look_and_cancel() {
    let farm = farm(&format!("{{admin: [], submit: '{}'}}", geteuid()));
    let file = farm.write_job("cat.yaml", "a cat");
    assert_code(&farm.ctl(&["submit", &file, "--wait"]), 0);
    // Permitted, but too late.
    assert_code(&farm.ctl(&["cancel", "cat"]), 10);
}

#[test]
fn one_without_a_role_is_told_nothing() {
    let farm = farm("{admin: [], submit: [], read: []}");
    let output = farm.ctl(&["list"]);
    assert_code(&output, 5);
    assert!(
        stderr(&output).contains("yours is none"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_name_that_the_system_lacks_is_said_at_the_start() {
    let farm = Farm::stopped();
    farm.configure("socket: {admin: no-such-user}\n");
    assert_fails(
        &farm.refused(&[]),
        "socket.admin: no-such-user does not exist on this system",
    );
}
