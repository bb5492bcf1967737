//! A folder of pictures that hangs.

use std::fs;

use super::REFUSED_WITHIN;
use crate::fixture::Farm;

/// A farm with pictures in its jobs folder, `near/` and `far/`, of which the last can hang.
fn farm() -> (Farm, super::share::Share) {
    let mut farm = Farm::stopped();
    farm.replace_in_config("jobs: jobs", "jobs: jobs\n  inputs: [jobs, near, far]");
    let [far] = farm.shares(["far"]);
    fs::create_dir(farm.path("near")).unwrap();
    for folder in ["near", "far"] {
        fs::write(farm.path(folder).join("photo.png"), "P1 1 1 0").unwrap();
    }
    farm.start();
    (farm, far)
}

#[test]
fn jobs_with_pictures_elsewhere_go_on_while_a_folder_of_pictures_hangs() {
    let (farm, far) = farm();
    far.block();
    farm.drop_job("far.yaml", farm.job_with("far/photo.png", "far"));
    farm.wait_until_degraded_by(&far);
    farm.drop_job("near.yaml", farm.job_with("near/photo.png", "near"));
    farm.drop_prompt("beside.yaml", "beside");
    farm.submit_text("sent", &farm.job_with("near/photo.png", "sent"));
    for name in ["near", "beside", "sent"] {
        farm.wait_until_done(name);
    }
    farm.wait_for_status(far.path());
    assert!(farm.filed("far", "").is_empty(), "neither done nor refused");

    far.unblock();
    farm.wait_until_done("far");
    assert_eq!(farm.report("far").0, "done");
}

#[test]
fn submission_whose_picture_hangs_is_refused_in_time() {
    let (mut farm, far) = farm();
    far.block();
    let file = farm.path("sent.yaml");
    fs::write(&file, farm.job_with("far/photo.png", "sent")).unwrap();
    let file = file.to_str().unwrap();
    for command in ["submit", "plan"] {
        farm.assert_refused_for(&far, REFUSED_WITHIN, &[command, file]);
    }
    // However many ask.
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| farm.assert_refused_for(&far, REFUSED_WITHIN, &["submit", file]));
        }
        farm.submit_text("other", &farm.job_with("near/photo.png", "other"));
    });
    farm.wait_until_done("other");
    farm.assert_stops();

    far.unblock();
    farm.start();
    farm.answer(&["submit", file]);
    farm.wait_until_done("sent");
}

#[test]
fn a_folder_of_pictures_is_not_blamed_for_the_folder_of_a_job_file() {
    let mut farm = Farm::stopped();
    farm.replace_in_config("jobs: jobs", "jobs: jobs\n  inputs: [jobs, near]");
    let [elsewhere] = farm.shares(["elsewhere"]);
    fs::create_dir(farm.path("near")).unwrap();
    fs::write(farm.path("near/photo.png"), "P1 1 1 0").unwrap();
    farm.start();
    elsewhere.block();
    let file = farm.path("elsewhere/sent.yaml");
    fs::write(&file, farm.job_with("near/photo.png", "sent")).unwrap();
    farm.answer(&["submit", file.to_str().unwrap()]);
    farm.wait_until_done("sent");
    assert!(farm.status().degraded.is_empty());
}
