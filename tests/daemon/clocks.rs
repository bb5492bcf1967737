//! The time: windows that end while a job runs, and clocks that are wrong.

use std::{fs, process::Command};

use framepack_ipc::{
    control::{Request, Response, WorkerState},
    worker::Temperature,
};
use framepack_jobs::{Job, StateName};
use serde_json::Value;

use crate::{client::assert_code, clock::Clock, fixture::Farm};

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;
/// Long enough to be suspended in its first sections.
const LONG: &str = "script sections=30 steps=5 step_ms=20";

/// A farm whose clock can be set, in UTC, and on whose machine nothing knows whether it is right.
struct ClockedFarm {
    farm: Farm,
    clock: Clock,
}

impl ClockedFarm {
    fn new() -> Self {
        let mut farm = Farm::stopped();
        let clock = Clock::new(&farm.path(""));
        for (name, value) in clock.environment() {
            farm.set_environment(name, value);
        }
        farm.set_environment("TZ", "UTC");
        let programs = farm.path("programs");
        fs::create_dir(&programs).unwrap();
        farm.set_environment("PATH", programs);
        farm.start();
        Self { farm, clock }
    }

    /// Hours of the day that are open now and in one hour, and closed in three.
    fn window() -> String {
        let now = Command::new("date")
            .args(["-u", "+%H:%M"])
            .output()
            .unwrap();
        let now = String::from_utf8(now.stdout).unwrap();
        let (hour, minute) = now.trim().split_once(':').unwrap();
        let hour: u32 = hour.parse().unwrap();
        format!(
            "{:02}:{minute}-{:02}:{minute}",
            (hour + 22) % 24,
            (hour + 2) % 24
        )
    }

    fn job(&self, stem: &str) -> Job {
        self.farm.show(stem).remove(0)
    }

    fn wait_for(&self, stem: &str, state: StateName) -> Job {
        self.farm.wait_until(&format!("{stem} is {state}"), |farm| {
            farm.show(stem).pop().filter(|job| job.is(state))
        })
    }

    /// A job that has made a section.
    fn begun(&self, stem: &str, at_end: &str) {
        let window = format!("{{hours: \"{}\", at_end: {at_end}}}", Self::window());
        self.farm
            .submit_keys(stem, LONG, &format!("seed: 7\nwindow: {window}"));
        self.farm.wait_until("it has a section", |farm| {
            (farm.show(stem)[0].runs.sections_done > 0).then_some(())
        });
    }

    fn codes(&self) -> Vec<String> {
        let Ok(Response::Pong(status)) = self.farm.client().call(&Request::Ping) else {
            panic!("the daemon does not answer");
        };
        let codes = status.degraded.iter().map(|note| note.code.to_string());
        codes.collect()
    }

    /// The first job of the queue, as users see it.
    fn entry(&self) -> Value {
        let queue = self.farm.ctl(&["queue", "--json"]);
        assert_code(&queue, 0);
        let queue: Value = serde_json::from_slice(&queue.stdout).unwrap();
        queue["items"][0].clone()
    }

    fn result(&self, stem: &str) -> Value {
        self.wait_for(stem, StateName::Done);
        serde_json::to_value(self.job(stem)).unwrap()["result"].clone()
    }
}

#[test]
fn a_job_is_suspended_at_the_end_of_its_window_and_goes_on_the_next_night() {
    let mut clocked = ClockedFarm::new();
    clocked
        .farm
        .submit_keys("whole", LONG, "seed: 7\nname: whole");
    let whole = clocked.result("whole");
    for (stem, at_end) in [("cat", "section"), ("dog", "step")] {
        clocked.clock.set(0);
        clocked.begun(stem, at_end);
        clocked.clock.set(3 * HOUR);
        let job = clocked.wait_for(stem, StateName::Queued);
        assert!(!job.runs.held && job.runs.sections_done > 0);
        let until = job.runs.suspended_until.unwrap();
        // Its device is somebody else's now.
        clocked
            .farm
            .wait_until("its worker has nothing left", |farm| {
                let worker = farm.worker("cpu");
                let is_cold = worker.temperature == Some(Temperature::Cold);
                (worker.state == WorkerState::Idle && is_cold).then_some(())
            });
        let entry = clocked.entry();
        assert_eq!(entry["standing"], "waiting", "{entry}");
        assert_eq!(entry["until"], until.to_string(), "{entry}");
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.contains("suspended at the end"), "{reason}");
        let shown = clocked.farm.ctl(&["show", stem]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains(&until.to_string()), "{shown}");
        clocked.farm.wait_until("STATUS.txt says so", |farm| {
            let status = fs::read_to_string(farm.path("jobs/STATUS.txt")).ok()?;
            status.contains(&until.to_string()).then_some(())
        });

        // Neither a user's word nor another daemon opens the window.
        assert_code(&clocked.farm.ctl(&["resume", stem]), 0);
        clocked.farm.kill();
        clocked.farm.start();
        let job = clocked.job(stem);
        assert!(job.is(StateName::Queued) && job.runs.suspended_until == Some(until));
        clocked.clock.set(24 * HOUR);
        let result = clocked.result(stem);
        assert_eq!(result["latents_sha256"], whole["latents_sha256"]);
        assert!(result["resumed"]["sections_done"].as_u64() > Some(0));
        let job = clocked.job(stem);
        assert_eq!((job.runs.attempts, job.runs.retries), (2, 0));
        assert_eq!(job.runs.suspended_until, None);
    }
}

#[test]
fn who_does_not_say_so_is_finished_and_a_suspended_job_can_be_held_and_cancelled() {
    let clocked = ClockedFarm::new();
    clocked.begun("cat", "finish");
    clocked.clock.set(3 * HOUR);
    clocked.result("cat");
    assert_eq!(clocked.job("cat").runs.attempts, 1);

    clocked.clock.set(0);
    clocked.begun("dog", "section");
    // One that a user has halted gives its device back, too, and stays the user's.
    assert_code(&clocked.farm.ctl(&["pause", "dog", "--at", "step"]), 0);
    clocked.clock.set(3 * HOUR);
    let job = clocked.wait_for("dog", StateName::Queued);
    assert!(job.runs.held && job.runs.suspended_until.is_some());
    clocked.clock.set(24 * HOUR);
    assert_eq!(clocked.entry()["standing"], "held");
    assert_code(&clocked.farm.ctl(&["cancel", "dog"]), 0);
    clocked.wait_for("dog", StateName::Cancelled);
}

#[test]
fn a_clock_that_is_wrong_expires_and_removes_nothing() {
    let mut clocked = ClockedFarm::new();
    clocked.farm.submit_keys("broken", "script oom@0*9", "");
    let broken = clocked.wait_for("broken", StateName::Failed);
    let work = clocked.farm.path(format!("state/work/{}", broken.id));
    clocked.farm.submit_keys("other", "a cat", "");
    clocked.wait_for("other", StateName::Done);
    let now = serde_json::to_value(broken.submitted_at).unwrap();
    let year: i32 = now.as_str().unwrap()[..4].parse().unwrap();
    let deadline = format!("deadline: {}-01-01T00:00:00Z", year + 2);
    assert_code(&clocked.farm.ctl(&["pause", "--all"]), 0);
    clocked.farm.submit_keys("due", "a cat", &deadline);

    for wrong in [20 * YEAR, -50 * YEAR] {
        clocked.farm.stop();
        clocked.clock.set(wrong);
        clocked.farm.start();
        assert_eq!(clocked.codes(), ["FP5025"], "{wrong}");
        assert!(clocked.job("due").is(StateName::Queued), "{wrong}");
        assert!(work.exists(), "{wrong}");
    }
    // Set right while the daemon runs.
    clocked.clock.set(0);
    assert!(clocked.codes().is_empty());
    assert_code(&clocked.farm.ctl(&["retry", "broken"]), 0);

    // A user may say that it is right; then the deadline has passed. Tried again it is none any more.
    clocked.clock.set(20 * YEAR);
    assert_eq!(clocked.codes(), ["FP5025"]);
    assert_code(&clocked.farm.ctl(&["state", "acknowledge"]), 0);
    assert!(clocked.codes().is_empty());
    clocked.wait_for("due", StateName::Expired);
    let retried = clocked.farm.ctl(&["retry", "due"]);
    assert_code(&retried, 0);
    let told = String::from_utf8_lossy(&retried.stderr).into_owned();
    assert!(told.contains("no longer applies"), "{told}");
    assert_code(&clocked.farm.ctl(&["resume", "--all"]), 0);
    clocked.wait_for("due", StateName::Done);
}

#[test]
fn what_is_filed_by_a_clock_that_is_wrong_is_not_old_when_it_is_right() {
    let mut clocked = ClockedFarm::new();
    clocked.farm.stop();
    clocked
        .farm
        .configure("retention: {done_days: 1, then: delete}\n");
    clocked.clock.set(-50 * YEAR);
    clocked.farm.start();
    clocked.farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(clocked.farm.report("cat").0, "done");
    let filed = clocked.farm.filed("cat", "");
    assert!(!filed.is_empty());
    clocked.farm.stop();
    clocked.clock.set(0);
    clocked.farm.start();
    clocked.farm.drop_prompt("dog.yaml", "a dog");
    assert_eq!(clocked.farm.report("dog").0, "done");
    assert_eq!(clocked.farm.filed("cat", ""), filed);
}

#[test]
fn a_pause_between_attempts_does_not_last_because_the_clock_was_set_back() {
    let clocked = ClockedFarm::new();
    clocked.clock.set(20 * HOUR);
    clocked.farm.drop_job(
        "cat.yaml",
        "api: framepack/v1\nstart: {image: photo.png}\nretry: {backoff_secs: 86400}\nprompt: script oom@0\n",
    );
    clocked.farm.wait_until("it waits for its retry", |farm| {
        let job = farm.show("cat").pop()?;
        job.runs.retry_at.map(drop)
    });
    clocked.clock.set(0);
    assert_eq!(clocked.farm.report("cat").0, "done");
}
