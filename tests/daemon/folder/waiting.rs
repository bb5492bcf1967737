//! Rules 9 and 14: what waits for a picture, or for room.

use std::{
    fs::{self, File},
    io::Write,
};

use framepack_jobs::StateName;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

#[test]
fn rule_09_a_job_waits_for_its_image() {
    let farm = Farm::with_spool("settle_secs: 0.1, wait_inputs_secs: 600");
    farm.drop_job("cat.yaml", job("a cat").replace("photo", "later"));
    farm.wait_for_status("jobs/later.png does not exist; the job will be rejected at ");
    assert_eq!(farm.claimed().len(), 1, "it is taken");
    assert!(farm.show("cat").is_empty());
    fs::write(farm.path("jobs/later.png"), "P1 1 1 0").unwrap();
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn rule_09_a_job_that_waits_survives_the_daemon() {
    let mut farm = Farm::with_spool("settle_secs: 0.1, wait_inputs_secs: 600");
    farm.drop_job("cat.yaml", job("a cat").replace("photo", "later"));
    farm.wait_for_status("later.png does not exist");
    farm.kill();
    fs::write(farm.path("jobs/later.png"), "P1 1 1 0").unwrap();
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn rule_09_an_image_that_never_comes_rejects_the_job_when_its_time_is_up() {
    let farm = Farm::with_spool("settle_secs: 0.1, wait_inputs_secs: 1");
    farm.drop_job("cat.yaml", job("a cat").replace("photo", "later"));
    farm.wait_for_status("later.png does not exist");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "rejected");
    assert_eq!(report["failure"]["code"], "FP2301");
}

#[test]
fn rule_09_an_image_that_is_still_being_written_is_waited_for() {
    let farm = Farm::new();
    let mut picture = File::create(farm.path("jobs/slow.png")).unwrap();
    picture.write_all(b"P1 1 1 0").unwrap();
    farm.drop_job("cat.yaml", job("a cat").replace("photo", "slow"));
    farm.wait_for_status("jobs/slow.png: it is open for writing");
    assert!(farm.show("cat").is_empty());
    drop(picture);
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn rule_09_the_image_of_a_queued_job_may_be_replaced() {
    let farm = Farm::new();
    let gate = farm.occupy_worker();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    fs::remove_file(farm.path("jobs/photo.png")).unwrap();
    fs::write(gate, "").unwrap();
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn rule_14_a_full_queue_leaves_files_where_they_are() {
    let mut farm = Farm::stopped();
    farm.replace_in_config("spool: {", "queue: {max_jobs: 2}\nspool: {scan_secs: 0.2, ");
    farm.start();
    let gate = farm.occupy_worker();
    for name in ["a", "b", "c"] {
        farm.drop_prompt(&format!("{name}.yaml"), name);
    }
    farm.wait_for_status("the queue is full (2 jobs): 2 files stay in the folder");
    assert_eq!(farm.untaken(), 2);
    assert_eq!(farm.status().queued, 1);

    let file = farm.write_job("d.yaml", "d");
    let refused = farm.ctl(&["submit", &file]);
    assert_code(&refused, 11);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("FP1020"));

    fs::write(gate, "").unwrap();
    for name in ["a", "b", "c"] {
        assert_eq!(farm.report(name).0, "done");
    }
    farm.wait_for_status("State: waiting for jobs");
}

#[test]
fn status_txt_says_what_runs_and_what_waits() {
    let farm = Farm::new();
    let gate = farm.occupy_worker();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_for_status("Jobs: 1 queued, 1 running");
    let status = farm.status_txt();
    for part in [
        "State: rendering",
        "Running:\n  job 1 \"occupied\" on cpu",
        "Folder: local, ",
        "Written at ",
    ] {
        assert!(status.contains(part), "{part:?} is not in\n{status}");
    }
    fs::write(gate, "").unwrap();
    farm.wait_until("all is done", |farm| {
        (farm.show("@done").len() == 2 && farm.show("@running").is_empty()).then_some(())
    });
    farm.wait_for_status("State: waiting for jobs\nJobs: 0 queued, 0 running");
    assert!(farm.show("cat")[0].is(StateName::Done));
}
