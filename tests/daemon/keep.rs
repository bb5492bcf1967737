//! Jobs that are cancelled and end with a video of the sections that they have.

use framepack_jobs::{Job, JobState, Partial, StateName};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{client::assert_code, fixture::Farm};

/// Long enough to be cancelled in its first sections, whatever the machine does meanwhile.
const LONG: &str = "script sections=40 steps=5 step_ms=20";
/// Finds the disk full in its second section, each time.
const FAILS: &str = "script sections=3 steps=2 full@1.2*99";

impl Farm {
    fn submitted(&self, stem: &str, prompt: &str, is_so: impl Fn(&Job) -> bool) -> Job {
        self.submit_keys(stem, prompt, "");
        self.wait_until("it is so far", |farm| {
            farm.show(stem).pop().filter(|job| is_so(job))
        })
    }

    /// Cancels it, and returns what is said of that.
    fn keep(&self, stem: &str) -> String {
        let cancelled = self.ctl(&["cancel", stem, "--keep"]);
        assert_code(&cancelled, 0);
        String::from_utf8(cancelled.stderr).unwrap()
    }

    /// Its partial video, once it has been cancelled.
    fn kept(&self, stem: &str) -> Option<Partial> {
        assert_code(&self.ctl(&["wait", stem]), 8);
        let job = self.show(stem).remove(0);
        let JobState::Cancelled { result, .. } = job.state else {
            panic!("{job:?}");
        };
        let result = result?;
        assert!(result.video.is_file(), "{result:?}");
        result.partial
    }
}

#[test]
fn a_running_job_stops_and_its_sections_become_a_video() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", LONG);
    farm.wait_until("its first section is durable", |farm| {
        let job = farm.show("cat").pop()?;
        (job.runs.sections_done > 0).then_some(())
    });
    farm.submit_keys("dog", "a dog", "priority: 1000");
    let said = farm.keep("cat");
    assert!(
        said.contains("will be cancelled with a video of its"),
        "{said}"
    );
    let partial = farm.kept("cat").unwrap();
    assert!(0 < partial.sections && partial.sections < 40, "{partial}");
    let job = farm.show("cat").remove(0);
    assert_eq!(job.runs.attempts, 2);
    assert!(farm.show("dog")[0].runs.attempts <= 1);

    let (folder, report) = farm.report("cat");
    assert_eq!(folder, "failed");
    assert_eq!(report["job"]["state"], "cancelled");
    assert!(report["hashes"]["video_sha256"].is_string(), "{report}");
    let (_, words) = farm.filed("cat", ".report.txt").pop().unwrap();
    let words = std::fs::read_to_string(words).unwrap();
    let video = job.output.display().to_string();
    assert!(
        words.contains("there is a video of a part of it"),
        "{words}"
    );
    assert!(
        words.contains(&video) && words.contains("its end"),
        "{words}"
    );
    farm.wait_until_nothing_is_left_of(job.id);
    assert_code(&farm.ctl(&["wait", "dog"]), 0);
}

#[test]
fn a_job_that_waits_ends_so_too_whatever_it_waits_for() {
    let farm = Farm::new();
    let job = farm.submitted("retries", FAILS, |job| job.runs.retry_at.is_some());
    assert_eq!(job.runs.sections_done, 1);
    farm.keep("retries");
    assert_eq!(farm.kept("retries").unwrap().sections, 1);

    farm.submitted("paused", LONG, |job| job.runs.sections_done > 0);
    assert_code(&farm.ctl(&["pause", "paused"]), 0);
    farm.wait_until("it is back in the queue", |farm| {
        farm.show("paused")[0].is(StateName::Queued).then_some(())
    });
    let said = farm.keep("paused");
    assert!(said.contains("finished section"), "{said}");
    let held = farm.ctl(&["hold", "paused"]);
    assert!([0, 10].contains(&held.status.code().unwrap()));
    assert!(farm.kept("paused").is_some());
}

#[test]
fn the_wish_outlives_the_daemon() {
    let mut farm = Farm::new();
    farm.submitted("cat", LONG, |job| job.runs.sections_done > 0);
    assert_code(&farm.ctl(&["pause", "cat"]), 0);
    farm.wait_until("it is back in the queue", |farm| {
        farm.show("cat")[0].is(StateName::Queued).then_some(())
    });
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    let said = farm.keep("cat");
    assert!(
        said.contains("once jobs begin again: the queue is paused"),
        "{said}"
    );
    let again = farm.keep("cat");
    assert!(again.contains("once jobs begin again"), "{again}");
    farm.kill();
    farm.start();
    let job = farm.show("cat").remove(0);
    assert!(job.is(StateName::Queued) && job.runs.keep_sections);
    let list = farm.ctl(&["list"]);
    let list = String::from_utf8_lossy(&list.stdout);
    assert!(list.starts_with("1\tcancelling\t"), "{list}");
    let held = farm.ctl(&["hold", "cat"]);
    assert_code(&held, 10);
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    let partial = farm.kept("cat").unwrap();
    assert_eq!(partial.sections, job.runs.sections_done);
}

/// The daemon dies between the wish and the run that carries it out, or in that run.
#[test]
fn a_daemon_that_is_killed_at_once_carries_it_out_when_it_starts() {
    let mut farm = Farm::new();
    farm.submitted("cat", LONG, |job| job.runs.sections_done > 0);
    farm.keep("cat");
    farm.kill();
    farm.start();
    assert!(farm.kept("cat").is_some());
}

#[test]
fn a_job_without_a_section_is_cancelled_without_a_video() {
    let farm = Farm::new();
    let gate = farm.path("gate");
    let gated = format!("wait {}", gate.display());
    farm.submitted("runs", &gated, |job| job.is(StateName::Running));
    farm.submit_keys("waits", "a dog", "");
    for stem in ["waits", "runs"] {
        let said = farm.keep(stem);
        assert!(
            said.contains("has no finished section, so there is no video"),
            "{said}"
        );
        assert_eq!(farm.kept(stem), None);
    }
    assert_eq!(farm.outputs(), [""; 0]);
    let refused = farm.ctl(&["cancel", "runs", "--keep"]);
    assert_code(&refused, 10);
}

#[test]
fn one_that_is_cancelled_for_good_is() {
    let farm = Farm::new();
    farm.submitted("cat", LONG, |job| job.runs.sections_done > 0);
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    farm.keep("cat");
    farm.wait_until("it is back in the queue", |farm| {
        farm.show("cat")[0].is(StateName::Queued).then_some(())
    });
    assert_code(&farm.ctl(&["cancel", "cat"]), 0);
    assert_eq!(farm.kept("cat"), None);
}

/// Its last section is decoded, or its video written, when the wish comes.
#[test]
fn a_job_that_has_all_its_sections_is_done_and_whoever_asks_is_told() {
    let farm = Farm::new();
    let begin = farm.ctl(&["events", "--cursor"]).stdout;
    let begin = String::from_utf8(begin).unwrap();
    let writes = "script sections=2 steps=2 stop@2.1";
    farm.submitted("cat", writes, Job::has_all_sections);
    let said = farm.keep("cat");
    assert!(
        said.contains("job 1 has all its sections: it will be done, with the whole video"),
        "{said}"
    );
    let again = farm.keep("cat");
    assert!(again.contains("is ending"), "{again}");
    let worker = farm.noted("starts.log").pop().unwrap();
    kill(Pid::from_raw(worker.parse().unwrap()), Signal::SIGCONT).unwrap();
    let waited = farm.ctl(&["wait", "cat"]);
    assert_code(&waited, 0);
    let told = String::from_utf8(waited.stderr).unwrap();
    assert!(
        told.ends_with("warning: job 1 had all its sections; it is done\n"),
        "{told}"
    );
    let job = farm.show("cat").remove(0);
    assert_eq!(
        job.runs.attempts, 1,
        "nothing was decoded a second time for it"
    );
    let JobState::Done { result, .. } = job.state else {
        panic!("{job:?}");
    };
    assert_eq!(result.partial, None);
    let events = farm.ctl(&["events", "--since", begin.trim(), "--for", "cat"]);
    let events = String::from_utf8(events.stdout).unwrap();
    let done: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&done["event"], &done["message"]),
        (&"done".into(), &"had all its sections; it is done".into())
    );
}
