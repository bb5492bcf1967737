//! `framepack-notify`: a program that is run for events.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::text;
use crate::fixture::{Farm, binary};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/framepack-notify");

impl Farm {
    /// Starts the script, with a program that writes events into the file `ran`.
    fn notify(&self) -> Child {
        let program = self.path("program");
        let ran = self.path("ran");
        let lines = format!(
            "#!/bin/sh\nread -r event\nprintf '%s %s\\n' \"$FRAMEPACK_EVENT\" \"$event\" >> {}\n",
            ran.display()
        );
        fs::write(&program, lines).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = binary("framepackctl");
        let folder = folder.parent().unwrap().display();
        let path = std::env::var("PATH").unwrap();
        Command::new(SCRIPT)
            .arg(program)
            .env("PATH", format!("{folder}:{path}"))
            .env("FRAMEPACKD_SOCKET", self.socket())
            .env("XDG_STATE_HOME", self.path("notify-state"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(self.path("notify.log")).unwrap())
            .spawn()
            .unwrap()
    }

    /// Jobs that the program was run for, with the event's name.
    fn notified(&self) -> Vec<(String, String)> {
        let ran = fs::read_to_string(self.path("ran")).unwrap_or_default();
        let events = ran.lines().map(|line| line.split_once(' ').unwrap());
        let all = events.map(|(name, event)| (name.to_owned(), text(event, "name")));
        all.filter(|(name, _)| name != "idle").collect()
    }

    fn wait_for_notifications(&self, expected: &[(&str, &str)]) {
        self.wait_until("the program was run for all of them", |farm| {
            (farm.notified().len() >= expected.len()).then_some(())
        });
        let notified = self.notified();
        let told: Vec<_> = notified.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(told, expected);
    }
}

fn stop(mut script: Child) {
    kill(Pid::from_raw(script.id() as i32), Signal::SIGTERM).unwrap();
    assert!(script.wait().unwrap().success());
}

#[test]
fn a_program_is_run_once_for_each_event_whoever_was_down_meanwhile() {
    let mut farm = Farm::new();
    let script = farm.notify();
    farm.wait_until("it has a cursor", |farm| {
        farm.path("notify-state/framepack/notify.cursor")
            .exists()
            .then_some(())
    });
    farm.drop_prompt("one.yaml", "a cat");
    farm.wait_for_notifications(&[("done", "one")]);
    stop(script);

    farm.drop_prompt("two.yaml", "nan");
    farm.report("two");
    farm.kill();
    farm.start();
    let script = farm.notify();
    farm.wait_for_notifications(&[("done", "one"), ("failed", "two")]);

    farm.kill();
    farm.start();
    farm.drop_prompt("three.yaml", "a dog");
    let all = [("done", "one"), ("failed", "two"), ("done", "three")];
    farm.wait_for_notifications(&all);
    stop(script);
}

#[test]
fn a_program_that_is_to_be_tried_again_gets_the_same_event() {
    let farm = Farm::new();
    let mut script = farm.notify();
    farm.wait_until("it has a cursor", |farm| {
        farm.path("notify-state/framepack/notify.cursor")
            .exists()
            .then_some(())
    });
    let program = farm.path("program");
    let works = fs::read_to_string(&program).unwrap();
    fs::write(&program, "#!/bin/sh\nexit 75\n").unwrap();
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(script.wait().unwrap().code(), Some(75));
    assert_eq!(farm.notified(), []);
    fs::write(&program, works).unwrap();
    let script = farm.notify();
    farm.wait_for_notifications(&[("done", "cat")]);
    stop(script);
}
