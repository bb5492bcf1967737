//! What is done with failures: tried again by class, quarantined, and tried again by hand.

use std::{fs, path::PathBuf};

use framepack_jobs::{Job, StateName};

use crate::{
    client::assert_code,
    fixture::{Farm, entries},
};

impl Farm {
    /// Submits a job and waits for its end.
    fn ended(&self, stem: &str, prompt: &str, keys: &str) -> Job {
        let text = format!(
            "api: framepack/v1\nstart: {{image: ../photo.png}}\nprompt: \"{prompt}\"\n{keys}\n"
        );
        let path = self.path(format!("jobs/.incoming/{stem}.yaml"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        assert_code(&self.ctl(&["submit", path.to_str().unwrap()]), 0);
        self.wait_until(&format!("{stem} has ended"), |farm| {
            farm.show(stem).pop().filter(Job::is_finished)
        })
    }

    fn inputs(&self) -> Vec<PathBuf> {
        entries(&self.path("state/inputs"))
    }
}

#[test]
fn failures_are_tried_again_by_class() {
    let farm = Farm::new();
    for (stem, prompt, keys, attempts) in [
        ("twice", "oom", "retry: {backoff_secs: 0}", 3),
        ("never", "oom", "retry: {max: 0}", 1),
        ("other", "oom", "retry: {on: [gpu], backoff_secs: 0}", 1),
        ("device", "gpu", "retry: {max: 1, backoff_secs: 0}", 2),
        // Once more in another way, whatever the number.
        ("numbers", "nan", "retry: {max: 5, backoff_secs: 3600}", 2),
        ("crash", "crash 2", "retry: {max: 0}", 3),
    ] {
        let job = farm.ended(stem, prompt, keys);
        assert_eq!(job.runs.attempts, attempts, "{stem}");
        let expected = if stem == "crash" {
            StateName::Done
        } else {
            StateName::Failed
        };
        assert!(job.is(expected), "{stem}");
    }
}

#[test]
fn a_job_that_is_tried_again_forgets_that_it_was_cancelled_before() {
    let farm = Farm::new();
    let gate = farm.path("gate");
    let prompt = format!("script deaf oom@1 crash@1.2 wait={}", gate.display());
    farm.submit_keys("cat", &prompt, "");
    farm.wait_until("it runs", |farm| {
        farm.show("cat")
            .pop()
            .filter(|job| job.is(StateName::Running))
    });
    assert_code(&farm.ctl(&["cancel", "cat"]), 0);
    fs::write(gate, "").unwrap();
    farm.wait_for("cat", StateName::Failed);
    assert_code(&farm.ctl(&["retry", "cat"]), 0);
    farm.wait_for("cat", StateName::Done);
    assert!(farm.log().contains("its worker died"), "{}", farm.log());
}

#[test]
fn a_file_whose_job_is_done_after_all_is_filed_as_done() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "oom 3");
    assert_eq!(farm.report("cat").0, "failed");
    assert_code(&farm.ctl(&["retry", "cat"]), 0);
    farm.wait_for("cat", StateName::Done);
    farm.wait_until("its report says so", |farm| {
        let kinds = ["report.json", "yaml"].map(|suffix| farm.filed("cat", suffix));
        let is_done = |found: &Vec<(String, PathBuf)>| found.len() == 1 && found[0].0 == "done";
        (kinds.iter().all(is_done) && farm.filed("cat", "report.txt").is_empty()).then_some(())
    });
    assert_eq!(farm.report("cat").1["job"]["attempts"], 4);
}

#[test]
fn a_full_disk_in_the_middle_of_a_job_is_no_failure() {
    let farm = Farm::new();
    farm.submit_keys("cat", "script full@1", "");
    let job = farm.wait_until("it waits for room", |farm| {
        farm.show("cat")
            .pop()
            .filter(|job| job.runs.retry_at.is_some())
    });
    assert!(job.is(StateName::Queued));
    assert_eq!(
        (job.runs.attempts, job.runs.retries, job.runs.sections_done),
        (1, 0, 1)
    );
    assert_eq!(job.runs.last_failure.unwrap().code, "FP6020");
}

#[test]
fn another_attempt_waits_and_says_for_what() {
    let mut farm = Farm::new();
    let path = farm.write_job("tired.yaml", "oom");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("backoff_secs: 0", "backoff_secs: 3600")).unwrap();
    assert_code(&farm.ctl(&["submit", &path]), 0);
    let waits = |farm: &Farm| {
        farm.show("tired")
            .pop()
            .filter(|job| job.runs.retry_at.is_some())
    };
    let job = farm.wait_until("it waits for its second attempt", waits);
    assert!(job.is(StateName::Queued));
    assert_eq!((job.runs.attempts, job.runs.retries), (1, 1));
    let queue = farm.ctl(&["queue"]);
    let queue = String::from_utf8_lossy(&queue.stdout);
    assert!(
        queue.contains("retry at 20") && queue.contains("out of memory"),
        "{queue}"
    );
    // The pause is for the job, not for the daemon's life.
    farm.kill();
    farm.start();
    assert_eq!(waits(&farm).unwrap().runs.retry_at, job.runs.retry_at);
    assert_eq!(farm.renders(), [1]);
    // And a user may have it otherwise.
    assert_code(&farm.ctl(&["cancel", "tired"]), 0);
    assert!(farm.show("tired")[0].is(StateName::Cancelled));
}

#[test]
fn a_quarantined_job_is_tried_again_by_hand() {
    let farm = Farm::new();
    let job = farm.ended("bad", "crash 3", "");
    let json = serde_json::to_value(&job).unwrap();
    assert_eq!(json["failure"]["code"], "FP7101");
    let hint = json["failure"]["hint"].as_str().unwrap();
    assert!(hint.contains("framepackctl retry 1"), "{hint}");
    assert_eq!(farm.inputs().len(), 1, "kept for the retry");

    assert_code(&farm.ctl(&["retry", "bad"]), 0);
    assert_code(&farm.ctl(&["wait", "bad"]), 0);
    assert_eq!(farm.show("bad")[0].runs.attempts, 4);
    farm.wait_until("the picture is given up", |farm| {
        farm.inputs().is_empty().then_some(())
    });
    assert_code(&farm.ctl(&["retry", "bad"]), 10);
}

#[test]
fn a_failed_job_keeps_its_image_over_a_restart_and_a_cancelled_one_does_not() {
    let mut farm = Farm::new();
    farm.ended("oom", "oom", "retry: {max: 0}");
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    let waiting = farm.write_job("waiting.yaml", "a cat");
    assert_code(&farm.ctl(&["submit", &waiting]), 0);
    assert_code(&farm.ctl(&["cancel", "waiting"]), 0);
    farm.stop();
    farm.start();
    assert_eq!(farm.inputs().len(), 1);
    let refused = farm.ctl(&["retry", "waiting"]);
    assert_code(&refused, 10);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(stderr.contains("submit its file again"), "{stderr}");
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    assert_code(&farm.ctl(&["retry", "oom", "--from-start"]), 0);
    assert_code(&farm.ctl(&["wait", "oom"]), 7);
    assert_eq!(farm.show("oom")[0].runs.attempts, 2);
}

#[test]
fn a_job_that_the_daemon_dies_of_is_given_up_in_the_end() {
    let mut farm = Farm::new();
    let never = farm.path("never");
    let path = farm.write_job("deadly.yaml", &format!("wait {}", never.display()));
    assert_code(&farm.ctl(&["submit", &path]), 0);
    for start in 1..=10 {
        farm.wait_until("it runs", |farm| {
            (farm.renders().len() == start).then_some(())
        });
        assert_eq!(
            farm.show("deadly")[0].runs.starts_without_progress,
            start as u32
        );
        farm.kill();
        farm.start();
    }
    let job = serde_json::to_value(farm.show("deadly").remove(0)).unwrap();
    assert_eq!(job["failure"]["code"], "FP7102", "{job}");
    assert_eq!(farm.renders().len(), 10);
}

#[test]
fn a_daemon_that_is_stopped_is_no_death() {
    let mut farm = Farm::new();
    let gate = farm.path("gate");
    let path = farm.write_job("cat.yaml", &format!("wait {}", gate.display()));
    assert_code(&farm.ctl(&["submit", &path]), 0);
    farm.wait_until("it runs", |farm| (!farm.renders().is_empty()).then_some(()));
    farm.stop();
    farm.start();
    farm.wait_until("it runs again", |farm| {
        (farm.renders().len() == 2).then_some(())
    });
    assert_eq!(farm.show("cat")[0].runs.starts_without_progress, 1);
    fs::write(gate, "").unwrap();
    assert_code(&farm.ctl(&["wait", "cat"]), 0);
    assert_eq!(farm.show("cat")[0].runs.starts_without_progress, 0);
}

/// What a daemon leaves that dies after a retried job was done and before its files had followed it.
#[test]
fn the_files_of_a_retried_job_follow_it_although_the_daemon_died() {
    let mut farm = Farm::new();
    farm.drop_prompt("cat.yaml", "script oom@0*3");
    assert_eq!(farm.report("cat").0, "failed");
    let failed = farm.filed("cat", "").into_iter();
    let failed: Vec<_> = failed
        .map(|(_, path)| (fs::read(&path).unwrap(), path))
        .collect();
    assert_code(&farm.ctl(&["retry", "cat"]), 0);
    let is_filed = |farm: &Farm| {
        let files = farm.filed("cat", "");
        let is_done = |(outcome, _): &(String, _)| outcome == "done";
        (files.len() == 2 && files.iter().all(is_done)).then_some(files)
    };
    let done = farm.wait_until("its files are filed", is_filed);
    // Before anything was moved, and after the job file was.
    for moved in [false, true] {
        farm.stop();
        for (content, path) in &failed {
            let is_report = path.to_string_lossy().contains(".report.");
            if is_report || !moved {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
        if !moved {
            for (_, path) in &done {
                fs::remove_file(path).unwrap();
            }
        }
        farm.start();
        assert_eq!(farm.wait_until("they follow it", is_filed), done);
    }
}
