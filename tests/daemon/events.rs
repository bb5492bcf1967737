//! Events: what is told, to whom, and that nothing is lost or told twice, whatever dies and whenever.

mod crash;
mod kept;
mod notify;
mod slow;

use std::{
    fs::{self, File},
    process::{Child, Command, Stdio},
};

use framepack_jobs::StateName;
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, binary},
};

impl Farm {
    /// What `framepackctl events` prints.
    fn events(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.ctl(&[&["events"], arguments].concat());
        assert_code(&output, 0);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Where the log of events ends.
    fn end_of_events(&self) -> String {
        self.events(&["--cursor"]).remove(0)
    }

    /// A framepackctl that follows events into the file `followed`.
    fn follow_events(&self, arguments: &[&str]) -> Follower {
        let file = File::create(self.path("followed")).unwrap();
        let notes = File::create(self.path("notes")).unwrap();
        let mut command = Command::new(binary("framepackctl"));
        command.arg("--socket").arg(self.socket());
        command.args(["events", "-f"]).args(arguments);
        command.stdin(Stdio::null()).stdout(file).stderr(notes);
        Follower(command.spawn().unwrap())
    }

    fn followed(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("followed")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until an event of this name is the last one of its kind, and is told.
    fn wait_for_event(&self, name: &str, since: &str) {
        self.wait_until(&format!("the event {name}"), |farm| {
            names(&farm.events(&["--since", since]))
                .contains(&name.to_owned())
                .then_some(())
        });
    }
}

/// A framepackctl that goes on until it is dropped.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn text(line: &str, key: &str) -> String {
    parsed(line)[key].as_str().unwrap_or_default().to_owned()
}

fn names(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| text(line, "event")).collect()
}

#[test]
fn a_job_is_told_of_from_its_queueing_to_its_end_and_its_prompt_is_not() {
    let farm = Farm::new();
    farm.wait_for_event("up", "1h");
    let begin = farm.end_of_events();
    farm.drop_prompt("cat.yaml", "a secret cat");
    farm.drop_prompt("bad.yaml", "nan");
    farm.report("cat");
    farm.report("bad");
    farm.wait_for_event("idle", &begin);
    let all = farm.events(&["--since", &begin]);
    let cat = farm.events(&["--since", &begin, "--for", "cat"]);
    assert_eq!(
        names(&cat),
        ["queued", "started", "section", "section", "done"]
    );
    let done = parsed(&cat[4]);
    let id = farm.show("cat")[0].id.0;
    assert_eq!(
        (&done["type"], &done["job"], &done["name"], &done["state"]),
        (&"job".into(), &id.into(), &"cat".into(), &"done".into())
    );
    assert_eq!(done["video"], farm.show("cat")[0].output.to_str().unwrap());
    let failed = farm.events(&["--since", &begin, "--for", "bad"]);
    let failed = parsed(failed.last().unwrap());
    assert_eq!(
        (&failed["event"], &failed["code"]),
        (&"failed".into(), &"FP5004".into())
    );
    assert!(failed["hint"].is_string(), "{failed}");
    let farm_events = names(&farm.events(&["--since", &begin, "--type", "farm"]));
    assert_eq!(farm_events.first().map(String::as_str), Some("busy"));
    assert!(!all.iter().any(|line| line.contains("secret")), "{all:#?}");
    let fields = farm.events(&["--since", &begin, "--for", "cat", "--json=event,job"]);
    assert_eq!(fields[0], format!(r#"{{"event":"queued","job":{id}}}"#));
}

#[test]
fn any_cursor_is_followed_by_what_came_behind_it() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    farm.wait_for_event("idle", "1h");
    let all = farm.events(&["--since", "1h"]);
    assert!(all.len() >= 8, "{all:#?}");
    for (n, line) in all.iter().enumerate() {
        let rest = farm.events(&["--since", &text(line, "cursor")]);
        assert_eq!(rest, all[n + 1..], "behind event {n}");
    }
}

#[test]
fn holding_pausing_and_cancelling_are_told() {
    let farm = Farm::new();
    let begin = farm.end_of_events();
    let gate = farm.path("gate");
    farm.drop_prompt("cat.yaml", &format!("wait {}", gate.display()));
    farm.wait_until("it runs", |farm| {
        let job = farm.show("cat").pop()?;
        job.is(StateName::Running).then_some(())
    });
    farm.drop_prompt("dog.yaml", "a dog");
    farm.wait_until("the second job is queued", |farm| farm.show("dog").pop());
    for change in [
        ["hold", "dog"],
        ["release", "dog"],
        ["pause", "--all"],
        ["resume", "--all"],
        ["pause", "--group=night"],
        ["cancel", "dog"],
        ["cancel", "cat"],
    ] {
        assert_code(&farm.ctl(&change), 0);
    }
    farm.wait_for_event("idle", &begin);
    let dog = names(&farm.events(&["--since", &begin, "--for", "dog"]));
    assert_eq!(dog, ["queued", "held", "released", "cancelled"]);
    let farm_events = farm.events(&["--since", &begin, "--type", "farm"]);
    let told: Vec<(String, String)> = farm_events
        .iter()
        .map(|line| (text(line, "event"), text(line, "group")))
        .filter(|(name, _)| name == "paused" || name == "resumed")
        .collect();
    let expected = [("paused", ""), ("resumed", ""), ("paused", "night")];
    assert_eq!(
        told,
        expected.map(|(name, group)| (name.to_owned(), group.to_owned()))
    );
}

#[test]
fn steps_are_told_to_who_asks_for_them_and_not_kept() {
    let farm = Farm::new();
    let gate = farm.path("gate");
    farm.drop_prompt("cat.yaml", &format!("wait {}", gate.display()));
    farm.wait_until("it runs", |farm| {
        let job = farm.show("cat").pop()?;
        job.is(StateName::Running).then_some(())
    });
    let _follower = farm.follow_events(&["--type", "progress,job"]);
    let step = farm.wait_until("a step", |farm| farm.followed().into_iter().next());
    let step = parsed(&step);
    assert_eq!(
        (&step["type"], &step["event"]),
        (&"progress".into(), &"step".into())
    );
    assert!(
        step["step"].is_u64() && step.get("cursor").is_none(),
        "{step}"
    );
    assert!(
        !farm
            .events(&["--since", "1h"])
            .iter()
            .any(|line| line.contains("progress"))
    );
    fs::write(gate, "").unwrap();
    farm.wait_until("the end beside the steps", |farm| {
        names(&farm.followed())
            .contains(&"done".to_owned())
            .then_some(())
    });
}

#[test]
fn idle_is_waited_for_and_held_jobs_do_not_count() {
    let farm = Farm::new();
    assert_code(&farm.ctl(&["wait", "--idle"]), 0);
    let gate = farm.path("gate");
    farm.drop_prompt("cat.yaml", &format!("wait {}", gate.display()));
    farm.wait_until("it is there", |farm| farm.show("cat").pop());
    assert_code(&farm.ctl(&["wait", "--idle", "--timeout", "0.2s"]), 9);
    farm.drop_prompt("dog.yaml", "a dog");
    farm.wait_until("it is there, too", |farm| farm.show("dog").pop());
    assert_code(&farm.ctl(&["hold", "dog"]), 0);
    fs::write(gate, "").unwrap();
    assert_code(&farm.ctl(&["wait", "--idle", "--timeout", "2m"]), 0);
    assert!(farm.show("cat")[0].is(StateName::Done));
    assert!(farm.show("dog")[0].is(StateName::Queued));
}

#[test]
fn all_any_and_a_followed_submission_end_with_the_jobs() {
    let farm = Farm::new();
    assert_code(&farm.ctl(&["wait", "--all"]), 0);
    let file = farm.write_job("cat.yaml", "a cat");
    let followed = farm.ctl(&["submit", &file, "--follow"]);
    assert_code(&followed, 0);
    let told = String::from_utf8_lossy(&followed.stdout).into_owned();
    assert!(told.starts_with("1\tdone\t"), "{told}");
    let file = farm.write_job("bad.yaml", "nan");
    assert_code(&farm.ctl(&["submit", &file, "--follow"]), 7);
    let never = farm.path("never");
    farm.drop_prompt("deaf.yaml", &format!("wait {}", never.display()));
    farm.wait_until("it is there", |farm| farm.show("deaf").pop());
    assert_code(&farm.ctl(&["wait", "--all", "--timeout", "0.2s"]), 9);
    let any = farm.ctl(&["wait", "deaf", "cat", "--any"]);
    assert_code(&any, 0);
    assert_eq!(String::from_utf8_lossy(&any.stdout).lines().count(), 1);
    assert_code(&farm.ctl(&["cancel", "deaf"]), 0);
    let progress = farm.ctl(&["wait", "1-3", "--progress"]);
    assert_code(&progress, 7);
}
