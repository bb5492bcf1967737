//! Whatever dies, and whenever: every job ends once, with one video or one reason.

use std::fs;

use crate::fixture::{Farm, entries};

impl Farm {
    /// Drops a job that runs until the returned gate file is there, and waits until it runs.
    fn drop_gated(&self, stem: &str) -> std::path::PathBuf {
        let gate = self.path(format!("{stem}.gate"));
        self.drop_prompt(&format!("{stem}.yaml"), &format!("wait {}", gate.display()));
        self.wait_until("the worker has the job", |farm| {
            let job = farm.show(stem).pop()?;
            farm.renders().contains(&job.id.0).then_some(())
        });
        gate
    }
}

#[test]
fn a_daemon_killed_with_its_worker_finishes_the_job_when_it_is_back() {
    let mut farm = Farm::new();
    let gate = farm.drop_gated("cat");
    farm.drop_prompt("dog.yaml", "a dog");
    farm.wait_until("the second job is queued", |farm| farm.show("dog").pop());
    // What a worker leaves that is killed while it writes.
    let output = farm.show("cat")[0].output.clone();
    let unfinished = output.with_file_name(format!(
        ".{}.part",
        output.file_name().unwrap().to_string_lossy()
    ));
    fs::write(&unfinished, "half a video").unwrap();
    farm.kill();

    fs::write(gate, "").unwrap();
    farm.start();
    for stem in ["cat", "dog"] {
        assert_eq!(farm.report(stem).0, "done");
    }
    assert_eq!(farm.renders(), [1, 1, 2]);
    assert_eq!(farm.show("cat")[0].runs.attempts, 2);
    assert_eq!(
        farm.show("cat")[0].output,
        output,
        "the path was fixed before the first run"
    );
    assert!(!unfinished.exists());
    assert_eq!(farm.outputs().len(), 2);
}

#[test]
fn a_daemon_killed_at_any_moment_makes_each_video_once() {
    let mut farm = Farm::new();
    let stems: Vec<String> = (0..20).map(|n| format!("job{n}")).collect();
    for (n, stem) in stems.iter().enumerate() {
        farm.drop_prompt(&format!("{stem}.yaml"), &format!("prompt {n}"));
        if n % 4 == 3 {
            // Somewhere between the drop and the end of the jobs: which moment it is, is left to chance.
            farm.wait_until("some renders", |farm| {
                (farm.renders().len() >= n / 2).then_some(())
            });
            farm.kill();
            farm.start();
        }
    }
    for stem in &stems {
        assert_eq!(farm.report(stem).0, "done", "{stem}");
        assert_eq!(farm.filed(stem, ".yaml").len(), 1, "{stem}");
    }
    assert_eq!(farm.show("@done").len(), 20);
    assert_eq!(farm.outputs().len(), 20);
    assert!(farm.claimed().is_empty());
}

#[test]
fn sigterm_puts_the_running_job_back_and_leaves_nothing_behind() {
    let mut farm = Farm::new();
    let gate = farm.drop_gated("cat");
    let status = farm.stop();
    assert!(status.success(), "{status}");
    assert!(!farm.socket().exists());
    assert!(farm.log().contains("stopped"));

    fs::write(gate, "").unwrap();
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.renders(), [1, 1]);
    assert_eq!(farm.outputs().len(), 1);
}

#[test]
fn a_job_survives_two_deaths_of_its_worker() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "crash 2");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    assert_eq!(report["job"]["attempts"], 3);
    assert_eq!(farm.outputs().len(), 1, "no half-written video stays");
}

#[test]
fn a_job_that_kills_three_workers_fails_and_the_next_one_runs() {
    let farm = Farm::new();
    farm.drop_prompt("bad.yaml", "crash 99");
    farm.drop_prompt("good.yaml", "a cat");
    let (outcome, report) = farm.report("bad");
    assert_eq!(outcome, "failed");
    assert_eq!(report["failure"]["code"], "FP7101");
    let message = report["failure"]["message"].as_str().unwrap();
    assert!(
        message.contains("signal 6") && message.contains("crashes for the 3. time"),
        "{message}"
    );
    assert_eq!(farm.report("good").0, "done");
    assert_eq!(farm.renders(), [1, 1, 1, 2]);
    assert_eq!(
        farm.outputs().len(),
        1,
        "{:?}",
        entries(&farm.path("outputs"))
    );
}

#[test]
fn a_job_after_a_device_failure_has_a_new_worker_and_is_not_charged() {
    let farm = Farm::new();
    farm.drop_prompt("broken.yaml", "gpu");
    farm.drop_prompt("cat.yaml", "a cat");
    let (outcome, report) = farm.report("broken");
    assert_eq!(
        (outcome.as_str(), &report["failure"]["class"]),
        ("failed", &"gpu".into())
    );
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    assert_eq!(report["job"]["attempts"], 1, "no worker died under it");
}
