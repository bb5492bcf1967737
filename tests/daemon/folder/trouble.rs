//! Errors of the daemon's own: what was to be done is done when they are gone, by the same daemon.

use std::{fs, os::unix::fs::symlink};

use framepack_jobs::StateName;

use crate::fixture::{Farm, job};

#[test]
fn rule_14_what_can_not_be_taken_now_is_left_in_the_folder_and_taken_later() {
    let farm = Farm::new();
    let copies = farm.path("state/inputs");
    fs::remove_dir(&copies).unwrap();
    fs::write(&copies, "in the way").unwrap();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_for_status("cat.yaml: start.image: copying ");
    assert_eq!(farm.claimed().len(), 1, "it stays claimed");
    // Others are left where they are: they would fare no better.
    farm.drop_prompt("dog.yaml", "a dog");
    farm.wait_for_status(
        "no files are taken for now, and 1 stay in the folder: start.image: copying ",
    );
    assert_eq!(farm.untaken(), 1);
    fs::remove_file(&copies).unwrap();
    fs::create_dir(&copies).unwrap();
    for name in ["cat", "dog"] {
        assert_eq!(farm.report(name).0, "done");
    }
    assert_eq!(farm.show("@done").len(), 2);
}

#[test]
fn a_file_that_can_not_be_filed_now_is_filed_later() {
    let farm = Farm::new();
    for outcome in ["done", "rejected"] {
        fs::write(farm.path("jobs").join(outcome), "in the way").unwrap();
    }
    farm.drop_prompt("cat.yaml", "a cat");
    farm.drop_job("bad.yaml", "api: [\n");
    farm.wait_until("the job is done", |farm| farm.show("@done").pop());
    farm.wait_for_status("bad.yaml: it can't be filed: ");
    assert_eq!(farm.claimed().len(), 2);
    for outcome in ["done", "rejected"] {
        fs::remove_file(farm.path("jobs").join(outcome)).unwrap();
    }
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.report("bad").0, "rejected");
    assert!(farm.claimed().is_empty());
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn a_file_that_can_not_be_claimed_now_is_claimed_later() {
    let farm = Farm::with_spool("settle_secs: 0.2, scan_secs: 0.2");
    let id = fs::read_to_string(farm.path("state/daemon-id")).unwrap();
    let claims = farm.path("jobs/claimed").join(id.trim());
    fs::remove_dir(&claims).unwrap();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_for_status("cat.yaml: it can't be claimed: ");
    assert_eq!(farm.untaken(), 1);
    fs::create_dir(&claims).unwrap();
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn a_folder_of_videos_behind_a_link_is_refused() {
    let farm = Farm::new();
    fs::create_dir(farm.path("elsewhere")).unwrap();
    symlink(farm.path("elsewhere"), farm.path("outputs/linked")).unwrap();
    let text = format!("{}output: {{dir: linked/shots}}\n", job("a cat"));
    farm.drop_job("cat.yaml", text);
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "failed");
    assert_eq!(report["failure"]["code"], "FP2206");
    assert_eq!(report["failure"]["class"], "policy");
    assert!(!farm.path("elsewhere/shots").exists());
    assert!(farm.renders().is_empty(), "no worker was told");

    // Real folders of the user's own are fine.
    fs::create_dir_all(farm.path("outputs/a/b")).unwrap();
    let text = format!("{}output: {{dir: a/b/c}}\n", job("a dog"));
    farm.drop_job("dog.yaml", text);
    assert_eq!(farm.report("dog").0, "done");
    assert!(farm.show("dog")[0].is(StateName::Done));
}
