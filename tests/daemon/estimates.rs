//! How long jobs take, and when they begin and end: told before, and compared with what happened.

use std::fs;

use framepack_ipc::{
    control::{Request, Response},
    estimate::{Basis, Expected, Moment},
    queue::{QueueEntry, QueueView},
};
use framepack_jobs::{JobState, StateName, Timestamp};
use serde_json::Value;

use crate::{client::assert_code, fixture::Farm};

const NEVER_SEEN: &str = "no job of this model has run here yet";

impl Farm {
    fn view(&self) -> QueueView {
        match self.client().call(&Request::Queue).unwrap() {
            Response::Queue(view) => view,
            other => panic!("{other:?}"),
        }
    }

    /// Submits a job of 200 ms: one of a kind with all others, but for its remark.
    fn submit_alike(&self, name: &str) {
        let prompt = format!("script sections=2 step_ms=20 #{name}");
        self.submit_keys(name, &prompt, "steps: 5");
    }

    fn planned_time(&self, file: &str) -> Value {
        let plan = self.ctl(&["plan", file, "--json=time"]);
        assert_code(&plan, 0);
        let json: Value = serde_json::from_slice(&plan.stdout).unwrap();
        json[0]["time"].clone()
    }
}

#[track_caller]
fn known(moment: Option<&Moment>) -> Expected {
    *moment
        .and_then(Moment::expected)
        .unwrap_or_else(|| panic!("{moment:?}"))
}

#[track_caller]
fn assert_unknown(moment: Option<&Moment>, why: &str) {
    let told = moment.unwrap().to_string();
    assert!(told.contains(why), "{told:?} is not {why:?}");
}

fn named<'a>(view: &'a QueueView, name: &str) -> &'a QueueEntry {
    let mut entries = view.jobs.iter();
    entries.find(|entry| entry.name == name).unwrap()
}

/// Whether something that happened then is within what was foretold.
#[track_caller]
fn assert_foretold(told: &Expected, happened: Timestamp, what: &str) {
    let asked_micros = told.at.as_micros() as f64 - told.estimate.secs * 1e6;
    let secs = (happened.as_micros() as f64 - asked_micros) / 1e6;
    let range = told.estimate.low_secs..=told.estimate.high_secs;
    assert!(range.contains(&secs), "{what}: {secs} s, {told:?}");
}

#[test]
fn the_queue_tells_when_jobs_begin_and_end_once_some_have_run() {
    let mut farm = Farm::new();
    let gate = farm.path("gate");
    farm.submit_keys(
        "first",
        &format!("script sections=2 step_ms=20 wait={}", gate.display()),
        "steps: 5",
    );
    farm.wait_until("it runs", |farm| (!farm.renders().is_empty()).then_some(()));
    farm.submit_alike("second");
    let view = farm.view();
    assert_unknown(named(&view, "first").ends.as_ref(), NEVER_SEEN);
    assert_eq!(named(&view, "first").begins, None, "it has begun");
    // The running job's own JSON has the same.
    for command in [
        &["list", "--state", "running"][..],
        &["show", "first"],
        &["status", "first"],
    ] {
        let told = farm.items(command);
        assert_eq!(told[0]["ends"]["unknown"], NEVER_SEEN, "{command:?}");
    }
    let status = farm.items(&["status"]);
    assert_eq!(status[0]["running"][0]["ends"]["unknown"], NEVER_SEEN);
    assert_unknown(named(&view, "second").begins.as_ref(), "behind job 1");
    assert_unknown(view.drains.as_ref(), NEVER_SEEN);
    fs::write(&gate, "").unwrap();
    for name in ["second", "third"] {
        if name == "third" {
            farm.submit_alike(name);
        }
        farm.wait_for(name, StateName::Done);
    }
    assert_eq!(farm.view().drains, None, "nothing is left");

    // What the records say is enough.
    farm.stop();
    farm.start();
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    let names = ["a", "b", "c"];
    for name in names {
        farm.submit_alike(name);
    }
    let view = farm.view();
    assert_unknown(named(&view, "a").begins.as_ref(), "the queue is paused");
    farm.submit_keys("held", "held", "");
    assert_code(&farm.ctl(&["hold", "held"]), 0);
    farm.submit_keys("late", "late", "not_before: 2099-01-01T00:00:00Z");
    farm.submit_keys("behind", "script step_ms=1", "after: [a]\npriority: -1");
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    let view = farm.wait_until("one runs", |farm| {
        let view = farm.view();
        view.jobs[0].turn.is_none().then_some(view)
    });
    assert_unknown(named(&view, "held").ends.as_ref(), "held by a user");
    let late = known(named(&view, "late").begins.as_ref());
    let new_year: Timestamp = "2099-01-01T00:00:00.000000Z".parse().unwrap();
    let away_micros = late.at.as_micros().abs_diff(new_year.as_micros());
    assert!(away_micros < 1000, "{late:?}");
    assert_eq!(late.estimate.basis, Basis::Clock);
    let behind = named(&view, "behind").begins.as_ref();
    assert!(known(behind).at > known(named(&view, "c").begins.as_ref()).at);
    for name in names {
        let done = farm.wait_for(name, StateName::Done);
        let JobState::Done {
            started_at,
            finished_at,
            ..
        } = done.state
        else {
            panic!("{done:?}");
        };
        let Some(entry) = view.jobs.iter().find(|entry| entry.name == name) else {
            continue;
        };
        let ends = known(entry.ends.as_ref());
        assert_foretold(&ends, finished_at, name);
        if let Some(begins) = &entry.begins {
            assert_foretold(&known(Some(begins)), started_at, name);
            let basis = ends.estimate.basis;
            assert!(matches!(basis, Basis::Measured { jobs: 3.. }), "{basis:?}");
        }
    }
}

#[test]
fn a_plan_has_a_time_once_such_a_job_has_run() {
    let farm = Farm::new();
    let file = farm.write_job("cat.yaml", "a cat");
    farm.wait_for_worker("cpu", framepack_ipc::control::WorkerState::Idle);
    assert_eq!(farm.planned_time(&file)["unknown"], NEVER_SEEN);
    assert_code(&farm.ctl(&["submit", &file, "--wait"]), 0);
    let time = farm.planned_time(&file);
    assert_eq!(
        (&time["basis"], &time["jobs"]),
        (&"measured".into(), &1.into())
    );
    let text = farm.ctl(&["plan", &file]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("\ntime        ") && text.contains("1 job like this one"),
        "{text}"
    );
    let longer = farm.write_job("longer.yaml", "a cat\"\nsteps: 50\n#\"");
    let time = farm.planned_time(&longer);
    assert_eq!(time["basis"], "similar");
}
