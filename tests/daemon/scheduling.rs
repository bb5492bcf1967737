//! Which job runs when: priority, dependencies, times, groups, holding and pausing.

use std::{fs, path::PathBuf};

use framepack_jobs::{Job, StateName, Timestamp};
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

impl Farm {
    /// Writes a job file with more keys where no daemon looks, and submits it.
    pub(crate) fn submit_keys(&self, stem: &str, prompt: &str, keys: &str) {
        let path = self.path(format!("jobs/.incoming/{stem}.yaml"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = job(prompt).replace("photo.png", "../photo.png");
        fs::write(&path, format!("{text}{keys}\n")).unwrap();
        assert_code(&self.ctl(&["submit", path.to_str().unwrap()]), 0);
    }

    /// A job that occupies the worker until the returned file is there.
    fn occupy(&self) -> PathBuf {
        let gate = self.path("gate");
        self.submit_keys(
            "gate",
            &format!("wait {}", gate.display()),
            "priority: 1000",
        );
        self.wait_until("the worker is occupied", |farm| {
            (!farm.renders().is_empty()).then_some(())
        });
        gate
    }

    /// What `framepackctl queue` says of each job: its name, turn and reason.
    fn queue(&self) -> Vec<(String, Option<u64>, String)> {
        let queue = self.ctl(&["queue", "--json"]);
        assert_code(&queue, 0);
        let envelope: Value = serde_json::from_slice(&queue.stdout).unwrap();
        let entries = envelope["items"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| {
                let text = |key: &str| entry[key].as_str().unwrap().to_owned();
                (text("name"), entry["turn"].as_u64(), text("reason"))
            })
            .collect()
    }

    /// What `framepackctl queue` says of one job.
    fn reason(&self, name: &str) -> String {
        let mut queue = self.queue().into_iter();
        let found = queue.find(|(queued, ..)| queued == name);
        found.map(|(.., reason)| reason).unwrap_or_default()
    }

    pub(crate) fn wait_for(&self, name: &str, state: StateName) -> Job {
        self.wait_until(&format!("{name} is {state}"), |farm| {
            farm.show(name).pop().filter(|job| job.is(state))
        })
    }

    /// The names of the jobs in the order in which they were begun.
    fn order(&self) -> Vec<String> {
        let name = |id: u64| self.show(&id.to_string())[0].name.clone();
        self.renders().into_iter().map(name).collect()
    }
}

#[test]
fn jobs_run_by_priority_and_the_queue_says_so_before() {
    let farm = Farm::new();
    let gate = farm.occupy();
    farm.submit_keys("low", "a", "priority: -1");
    farm.submit_keys("first", "b", "");
    farm.submit_keys("f1", "c", "model: f1");
    farm.submit_keys("second", "d", "");
    farm.submit_keys("high", "e", "priority: 7");
    let said: Vec<(String, Option<u64>)> = farm
        .queue()
        .into_iter()
        .map(|(name, turn, _)| (name, turn))
        .collect();
    let expected = [
        ("gate", None),
        ("high", Some(1)),
        ("first", Some(2)),
        // The other model is loaded.
        ("second", Some(3)),
        ("f1", Some(4)),
        ("low", Some(5)),
    ];
    assert_eq!(said, expected.map(|(name, turn)| (name.to_owned(), turn)));
    assert_eq!(farm.reason("high"), "priority 7");
    assert_eq!(farm.reason("second"), "moved up: its model is loaded");

    // What is changed is said and done.
    assert_code(&farm.ctl(&["priority", "low", "f1", "9"]), 0);
    fs::write(gate, "").unwrap();
    farm.wait_for("second", StateName::Done);
    assert_eq!(
        farm.order(),
        ["gate", "low", "f1", "high", "first", "second"]
    );
}

#[test]
fn a_job_runs_after_those_that_it_names_in_whatever_order_they_come() {
    let farm = Farm::new();
    farm.submit_keys("edit", "a", "after: [shot-1, shot-2]");
    farm.wait_until("it waits for a job that is not there", |farm| {
        (farm.reason("edit") == "after `shot-1`, which does not exist yet").then_some(())
    });
    farm.submit_keys("shot-2", "b", "");
    farm.submit_keys("shot-1", "c", "");
    farm.wait_for("edit", StateName::Done);
    assert_eq!(farm.order(), ["shot-2", "shot-1", "edit"]);
}

#[test]
fn a_job_fails_whose_predecessor_has_no_video() {
    let farm = Farm::new();
    let gate = farm.occupy();
    farm.submit_keys("shot", "a", "");
    farm.submit_keys("edit", "b", "after: shot");
    farm.submit_keys("cut", "c", "after: edit");
    assert_code(&farm.ctl(&["cancel", "shot"]), 0);
    for (name, of) in [
        ("edit", "job 2, which is cancelled"),
        ("cut", "job 3, which is failed"),
    ] {
        let failed = serde_json::to_value(farm.wait_for(name, StateName::Failed)).unwrap();
        assert_eq!(failed["failure"]["code"], "FP7201", "{name}");
        assert_eq!(failed["failure"]["class"], "policy", "{name}");
        let message = failed["failure"]["message"].as_str().unwrap();
        assert!(message.contains(of), "{message}");
    }
    // Circles are seen at once.
    farm.submit_keys("egg", "d", "after: hen");
    farm.submit_keys("hen", "e", "after: egg");
    for name in ["egg", "hen"] {
        let failed = serde_json::to_value(farm.wait_for(name, StateName::Failed)).unwrap();
        assert_eq!(failed["failure"]["code"], "FP7202", "{name}");
    }
    fs::write(gate, "").unwrap();
    farm.wait_for("gate", StateName::Done);
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn times_are_kept() {
    let farm = Farm::new();
    let soon = Timestamp::now().plus(std::time::Duration::from_secs(2));
    farm.submit_keys("later", "a", &format!("not_before: {soon}"));
    assert!(
        farm.reason("later").starts_with("not before 20"),
        "{:?}",
        farm.queue()
    );
    farm.submit_keys("never", "b", "not_before: 2999-01-01T00:00:00Z");
    farm.submit_keys("late", "c", "deadline: 2001-01-01T00:00:00Z");
    farm.wait_for("late", StateName::Expired);
    let job = farm.wait_for("later", StateName::Done);
    let job = serde_json::to_value(job).unwrap();
    assert!(
        job["started_at"].as_str().unwrap() >= soon.to_string().as_str(),
        "{job}"
    );
    assert_eq!(farm.order(), ["later"]);
    assert_code(&farm.ctl(&["wait", "late"]), 7);

    // A deadline passes while the job waits, whether a worker is idle or not.
    let soon = Timestamp::now().plus(std::time::Duration::from_secs(1));
    farm.submit_keys("missed", "d", &format!("deadline: {soon}\nafter: never"));
    farm.wait_for("missed", StateName::Expired);
}

#[test]
fn a_dropped_file_whose_deadline_passed_is_filed_with_the_reason() {
    let farm = Farm::new();
    farm.drop_job(
        "late.yaml",
        format!("{}deadline: 2001-01-01T00:00:00Z\n", job("a cat")),
    );
    let (outcome, report) = farm.report("late");
    assert_eq!(outcome, "failed");
    assert_eq!(report["job"]["state"], "expired");
    assert_eq!(report["failure"]["code"], "FP7203");
    let words = farm.filed("late", ".report.txt").pop().unwrap().1;
    let words = fs::read_to_string(words).unwrap();
    assert!(words.contains("deadline"), "{words}");
}

#[test]
fn a_window_that_is_closed_keeps_a_job_and_an_open_one_does_not() {
    let farm = Farm::new();
    // Half a day each, so that one is open and one is closed whatever the local time is.
    let windows = ["00:00-12:00", "12:00-24:00"];
    for window in windows {
        let stem = &window[..2];
        farm.submit_keys(&format!("half-{stem}"), stem, &format!("window: {window}"));
    }
    let (open, closed) = farm.wait_until("one of them is done", |farm| {
        let done = |stem: &str| farm.show(stem)[0].is(StateName::Done);
        match (done("half-00"), done("half-12")) {
            (true, _) => Some(("half-00", "half-12")),
            (_, true) => Some(("half-12", "half-00")),
            _ => None,
        }
    });
    let reason = farm.reason(closed);
    assert!(
        reason.starts_with("waiting for its window ") && reason.contains(", which opens at 20"),
        "{open}: {reason}"
    );
}

#[test]
fn held_jobs_wait_and_released_ones_run() {
    let mut farm = Farm::new();
    let gate = farm.occupy();
    farm.submit_keys("a", "a", "");
    farm.submit_keys("b", "b", "");
    let held = farm.ctl(&["hold", "a"]);
    assert_code(&held, 0);
    assert!(String::from_utf8_lossy(&held.stdout).starts_with("2\theld\t"));
    assert_eq!(farm.reason("a"), "held by a user");
    // Also over a restart.
    farm.kill();
    farm.start();
    fs::write(gate, "").unwrap();
    farm.wait_for("b", StateName::Done);
    assert!(farm.show("a")[0].runs.held);
    assert_code(&farm.ctl(&["release", "a"]), 0);
    farm.wait_for("a", StateName::Done);
    assert_code(&farm.ctl(&["hold", "a"]), 10);
    assert_code(&farm.ctl(&["release", "nothing"]), 4);
}

#[test]
fn a_paused_queue_begins_nothing_also_after_a_restart() {
    let mut farm = Farm::new();
    assert_code(&farm.ctl(&["pause", "--all", "--at", "job"]), 0);
    farm.submit_keys("a", "a", "");
    farm.kill();
    farm.start();
    let ping = String::from_utf8(farm.ctl(&["ping"]).stdout).unwrap();
    assert!(
        ping.contains("no job starts: the queue is paused"),
        "{ping}"
    );
    let queue = farm.ctl(&["queue"]);
    assert!(String::from_utf8_lossy(&queue.stderr).contains("no job starts"));
    assert_eq!(farm.queue()[0].1, Some(1), "its turn is told all the same");
    assert_eq!(farm.renders(), [0_u64; 0]);
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    farm.wait_for("a", StateName::Done);
}

#[test]
fn a_paused_group_waits_and_others_run() {
    let farm = Farm::new();
    assert_code(&farm.ctl(&["pause", "--group", "night"]), 0);
    farm.submit_keys("a", "a", "group: night");
    farm.submit_keys("b", "b", "group: day");
    farm.submit_keys("c", "c", "");
    farm.wait_for("b", StateName::Done);
    farm.wait_for("c", StateName::Done);
    assert_eq!(farm.reason("a"), "group night is paused");
    assert_code(&farm.ctl(&["resume", "--group", "night"]), 0);
    farm.wait_for("a", StateName::Done);
}

#[test]
fn nothing_begins_while_the_disk_has_no_room() {
    // 16 TiB are to stay free.
    let mut farm = Farm::with_settings(&[("DISK_RESERVE_MIB", "16777216")]);
    farm.submit_keys("a", "a", "");
    farm.wait_until("the daemon says why nothing begins", |farm| {
        let ping = String::from_utf8(farm.ctl(&["ping"]).stdout).unwrap();
        ping.contains("no job starts: ").then_some(())?;
        assert!(
            ping.contains("free some space, or lower disk.reserve_mib"),
            "{ping}"
        );
        Some(())
    });
    assert_eq!(farm.renders(), [0_u64; 0]);
    assert!(farm.show("a")[0].is(StateName::Queued));
    farm.stop();
    farm.set(&[("DISK_RESERVE_MIB", "1")]);
    farm.start();
    farm.wait_for("a", StateName::Done);
}
