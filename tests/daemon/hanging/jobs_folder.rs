//! A jobs folder that hangs.

use std::{fs, time::Duration};

use crate::fixture::Farm;

/// Time for the answer to `folder scan`.
const SCAN_WITHIN: Duration = Duration::from_secs(20);

/// A farm whose jobs folder can hang, with a picture elsewhere.
fn farm() -> (Farm, super::share::Share) {
    let mut farm = Farm::stopped();
    farm.replace_in_config("jobs: jobs", "jobs: jobs\n  inputs: [jobs, near]");
    let [jobs] = farm.shares(["jobs"]);
    fs::create_dir(farm.path("near")).unwrap();
    fs::write(farm.path("near/photo.png"), "P1 1 1 0").unwrap();
    farm.start();
    (farm, jobs)
}

#[test]
fn queue_goes_on_while_the_jobs_folder_hangs() {
    let (farm, jobs) = farm();
    farm.submit_gated();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.drop_prompt("dog.yaml", "a dog");
    farm.wait_until("both are queued", |farm| {
        (farm.show("@queued").len() == 2).then_some(())
    });
    jobs.block();
    farm.drop_prompt("late.yaml", "late");
    farm.assert_refused_for(&jobs, SCAN_WITHIN, &["folder", "scan"]);
    farm.wait_until_degraded_by(&jobs);
    farm.answer(&["cancel", "dog"]);
    fs::write(farm.path("gate"), "").unwrap();
    farm.wait_until_done("gated");
    farm.wait_until_done("cat");
    farm.submit_text("sent", &farm.job_with("near/photo.png", "sent"));
    farm.wait_until_done("sent");

    jobs.unblock();
    for (name, outcome) in [("cat", "done"), ("dog", "failed"), ("late", "done")] {
        assert_eq!(farm.report(name).0, outcome, "{name}");
    }
    assert!(farm.claimed().is_empty());
    farm.wait_until("ping is as before", |farm| {
        farm.status().degraded.is_empty().then_some(())
    });
}

#[test]
fn daemon_stops_while_the_jobs_folder_hangs_and_the_next_one_takes_the_files() {
    let (mut farm, jobs) = farm();
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    jobs.block();
    farm.drop_prompt("late.yaml", "late");
    farm.wait_until_degraded_by(&jobs);
    farm.assert_stops();

    jobs.unblock();
    farm.start();
    assert_eq!(farm.report("late").0, "done");
    assert!(farm.claimed().is_empty());
}
