//! `rm`, and what is asked before much is destroyed.

use std::{fs, process::Output};

use framepack_jobs::{JobState, StateName};

use crate::{
    client::assert_code,
    fixture::{Farm, entries},
};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Farm {
    /// What the state directory has of a job.
    fn left_of(&self, job: u64) -> Vec<String> {
        let work = self.path(format!("state/work/{job}"));
        let log = self.path(format!("state/logs/{job}.ndjson"));
        let paths = [work, log].into_iter().filter(|path| path.exists());
        paths.map(|path| path.display().to_string()).collect()
    }
}

#[test]
fn jobs_that_have_ended_go_with_all_but_their_videos() {
    let mut farm = Farm::new();
    farm.submit_keys("cat", "a cat", "");
    farm.submit_keys("bad", "oom", "");
    farm.wait_for("cat", StateName::Done);
    farm.wait_for("bad", StateName::Failed);
    let video = farm.show("cat")[0].output.clone();
    let removed = farm.ctl(&["rm", "cat", "99", "bad"]);
    assert_code(&removed, 4);
    let expected = format!("1\tremoved\tcat\t{}\n2\tremoved\tbad\t\n", video.display());
    assert_eq!(stdout(&removed), expected);
    assert_eq!(stderr(&removed), "warning: no such job: 99\n");
    assert!(video.exists());
    farm.wait_until("nothing else is left", |farm| {
        let inputs = entries(&farm.path("state/inputs"));
        // The highest number stays given out.
        let work = farm.path("state/work/2");
        let is_kept = entries(&work).is_empty() && work.exists();
        (farm.left_of(1).is_empty() && inputs.is_empty() && is_kept).then_some(())
    });
    // Durable, and the numbers are never given out again.
    farm.kill();
    farm.start();
    assert_code(&farm.ctl(&["show", "cat"]), 4);
    farm.submit_keys("dog", "a dog", "");
    assert_eq!(farm.show("dog")[0].id.0, 3);
}

#[test]
fn a_job_that_has_not_ended_or_is_needed_stays() {
    let farm = Farm::new();
    farm.submit_keys("first", "a cat", "");
    farm.wait_for("first", StateName::Done);
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    farm.submit_keys("second", "a dog", "after: [first]");
    let refused = farm.ctl(&["rm", "first", "second"]);
    assert_code(&refused, 10);
    assert_eq!(
        stderr(&refused),
        "warning: job 1 is needed by job 2, which runs after it\n\
         warning: job 2 is queued: cancel it first with `framepackctl cancel 2`\n"
    );
    assert_code(&farm.ctl(&["cancel", "second"]), 0);
    assert_code(&farm.ctl(&["rm", "first", "second"]), 0);
    assert_eq!(stdout(&farm.ctl(&["list"])), "");
}

#[test]
fn videos_are_removed_only_by_a_clear_yes() {
    let farm = Farm::new();
    farm.submit_keys("cat", "a cat", "");
    let JobState::Done { result, .. } = farm.wait_for("cat", StateName::Done).state else {
        panic!("it was waited for");
    };
    let unasked = farm.ctl(&["rm", "cat", "--video"]);
    assert_code(&unasked, 2);
    let expected = "error: not confirmed: remove 1 job and its video [FP1044]\n\
                    hint: add `--yes` where nobody can be asked\n";
    assert_eq!(stderr(&unasked), expected);
    assert!(result.video.exists());
    assert_code(&farm.ctl(&["rm", "cat", "--video", "--yes"]), 0);
    assert!(!result.video.exists());
    assert!(farm.show("cat").is_empty());
}

#[test]
fn the_file_of_a_removed_job_does_not_come_back() {
    let mut farm = Farm::new();
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    assert_code(&farm.ctl(&["cancel", "cat"]), 0);
    // Its file may not be put away yet: that is waited for.
    assert_code(&farm.ctl(&["rm", "cat"]), 0);
    assert!(farm.claimed().is_empty());
    assert_eq!(farm.report("cat").0, "failed");
    farm.kill();
    farm.start();
    assert_code(&farm.ctl(&["folder", "scan"]), 0);
    assert_eq!(stdout(&farm.ctl(&["list"])), "");
    assert_eq!(farm.report("cat").0, "failed");
}

#[test]
fn what_a_daemon_leaves_that_dies_behind_a_removal_goes_with_the_next() {
    let mut farm = Farm::new();
    for name in ["cat", "dog"] {
        farm.submit_keys(name, name, "");
        farm.wait_for(name, StateName::Done);
    }
    farm.wait_until("it has a log", |farm| {
        (farm.left_of(1).len() == 2).then_some(())
    });
    assert_code(&farm.ctl(&["rm", "cat"]), 0);
    farm.stop();
    fs::create_dir_all(farm.path("state/work/1")).unwrap();
    fs::write(farm.path("state/logs/1.ndjson"), "").unwrap();
    farm.start();
    assert_eq!(farm.left_of(1), [""; 0]);
    assert_eq!(farm.left_of(2).len(), 2);
}

#[test]
fn more_than_twenty_jobs_are_cancelled_only_by_a_clear_yes() {
    let farm = Farm::new();
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    for n in 0..21 {
        farm.drop_prompt(&format!("job{n}.yaml"), &format!("prompt {n}"));
    }
    farm.wait_until("all are queued", |farm| {
        (farm.show("@queued").len() == 21).then_some(())
    });
    let unasked = farm.ctl(&["cancel", "@queued"]);
    assert_code(&unasked, 2);
    assert!(stderr(&unasked).contains("not confirmed: cancel 21 jobs"));
    assert_eq!(farm.show("@queued").len(), 21);
    assert_code(&farm.ctl(&["cancel", "1-20"]), 0);
    assert_code(&farm.ctl(&["cancel", "1-21", "--yes"]), 10);
    assert_eq!(farm.show("@cancelled").len(), 21);
}
