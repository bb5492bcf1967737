//! Clients that wait while their daemon goes away and comes back: nobody misses the end of a job.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use framepack_jobs::StateName;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::fixture::{Farm, binary};

const AWAY: &str = "waiting for the daemon to come back";
const BACK: &str = "connected to the daemon again";

/// A framepackctl that waits; it ends with the test.
struct Waiter {
    child: Child,
    name: &'static str,
    told: PathBuf,
    notes: PathBuf,
}

impl Waiter {
    fn start(farm: &Farm, name: &'static str, arguments: &[&str]) -> Self {
        let path = |what: &str| farm.path(format!("{name}.{what}"));
        let (told, notes) = (path("told"), path("notes"));
        let mut command = Command::new(binary("framepackctl"));
        command.arg("--socket").arg(farm.socket()).args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(File::create(&told).unwrap())
            .stderr(File::create(&notes).unwrap());
        let waiter = Self {
            child: command.spawn().unwrap(),
            name,
            told,
            notes,
        };
        waiter.wait_for_note(farm, "job 1: ");
        waiter
    }

    fn noted(&self) -> String {
        fs::read_to_string(&self.notes).unwrap()
    }

    fn wait_for_note(&self, farm: &Farm, note: &str) {
        farm.wait_until(&format!("{} notes {note:?}", self.name), |_| {
            self.noted().contains(note).then_some(())
        });
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// That it has ended well, and what it told of that it was without a daemon.
    fn assert_done(mut self, rows: usize) {
        let ended = self.child.wait().unwrap();
        let (told, noted) = (fs::read_to_string(&self.told).unwrap(), self.noted());
        let name = self.name;
        assert_eq!(ended.code(), Some(0), "{name}: {told}{noted}");
        assert!(told.starts_with("1\tdone\t"), "{name}: {told}");
        assert_eq!(told.lines().count(), rows, "{name}: {told}");
        for note in [AWAY, BACK] {
            assert_eq!(noted.matches(note).count(), 1, "{name}: {noted}");
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // Fails when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A job that runs until the gate is there, another behind it, and everybody who can wait for them, with how many jobs
/// each tells of.
fn waiters(farm: &Farm) -> Vec<(Waiter, usize)> {
    let gate = farm.path("gate");
    let file = farm.write_job("cat.yaml", &format!("wait {}", gate.display()));
    let submitter = Waiter::start(farm, "submit", &["submit", &file, "--follow"]);
    // The same job once more.
    let duplicate = Waiter::start(farm, "submit-wait", &["submit", &file, "--wait"]);
    farm.submit_keys("dog", "a dog", "");
    let wait =
        |name, arguments: &[&str]| Waiter::start(farm, name, &[&["wait"], arguments].concat());
    vec![
        (submitter, 1),
        (duplicate, 1),
        (wait("job", &["cat"]), 1),
        (wait("all", &["--all"]), 2),
        (wait("any", &["1-2", "--any"]), 1),
        (wait("progress", &["@running", "--progress"]), 1),
    ]
}

#[test]
fn whoever_waits_goes_on_after_a_restart() {
    let mut farm = Farm::new();
    let waiters = waiters(&farm);
    farm.stop();
    for (waiter, _) in &waiters {
        waiter.wait_for_note(&farm, AWAY);
    }
    farm.start();
    for (waiter, _) in &waiters {
        waiter.wait_for_note(&farm, BACK);
    }
    fs::write(farm.path("gate"), "").unwrap();
    for (waiter, rows) in waiters {
        waiter.assert_done(rows);
    }
}

#[test]
fn a_job_that_ends_before_its_waiters_are_back_has_ended_for_them() {
    let mut farm = Farm::new();
    let waiters = waiters(&farm);
    farm.kill();
    for (waiter, _) in &waiters {
        waiter.wait_for_note(&farm, AWAY);
        waiter.signal(Signal::SIGSTOP);
    }
    fs::write(farm.path("gate"), "").unwrap();
    farm.start();
    farm.wait_for("cat", StateName::Done);
    farm.wait_for("dog", StateName::Done);
    for (waiter, rows) in waiters {
        waiter.signal(Signal::SIGCONT);
        waiter.assert_done(rows);
    }
}
