//! Folders of videos that hang.

use std::{fs, thread, time::Duration};

use framepack_ipc::control::WorkerState;
use framepack_jobs::StateName;

use crate::fixture::{Farm, entries, job};

/// A job whose video goes to a folder below the outputs.
fn job_into(folder: &str, prompt: &str) -> String {
    job(prompt) + &format!("output: {{dir: {folder}}}\n")
}

#[test]
fn short_hang_delays_a_job_and_nothing_more() {
    let mut farm = Farm::stopped();
    let [outputs] = farm.shares(["outputs"]);
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    outputs.block();
    farm.drop_prompt("cat.yaml", "a cat");
    thread::sleep(Duration::from_secs(2));
    assert_eq!(farm.renders(), [0; 0], "the daemon waits for the folder");
    outputs.unblock();
    farm.wait_until_done("cat");
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.outputs().len(), 1);
}

#[test]
fn jobs_wait_while_the_outputs_hang_and_everything_else_is_answered() {
    let mut farm = Farm::stopped();
    let [outputs] = farm.shares(["outputs"]);
    farm.start();
    let running = farm.submit_gated();
    for name in ["cat", "dog", "bird"] {
        farm.drop_prompt(&format!("{name}.yaml"), name);
    }
    farm.wait_until("all are queued", |farm| {
        (farm.show("@queued").len() == 3).then_some(())
    });
    outputs.block();
    farm.answer(&["cancel", "bird"]);
    fs::write(farm.path("gate"), "").unwrap();

    farm.wait_until_degraded_by(&outputs);
    farm.wait_until_queued_for("cat", &outputs);
    farm.answer(&["cancel", "dog"]);
    farm.wait_and_ask("dog is cancelled", |farm| {
        farm.show("dog")
            .pop()
            .filter(|job| job.is(StateName::Cancelled))
    });
    assert_eq!(farm.renders(), [running.id.0], "no other job has started");

    outputs.unblock();
    farm.wait_until_done("cat");
    farm.wait_until_done("gated");
    assert_eq!(farm.report("cat").0, "done");
    farm.wait_until("two videos and nothing else are there", |farm| {
        (farm.outputs().len() == 2).then_some(())
    });
    farm.wait_until("ping is as before", |farm| {
        farm.status().degraded.is_empty().then_some(())
    });
}

#[test]
fn jobs_into_another_folder_go_on_while_one_hangs() {
    let mut farm = Farm::stopped();
    farm.set(&[("WORKER_DEVICES", "cpu,cuda:0")]);
    let [slow] = farm.shares(["outputs/slow"]);
    farm.start();
    for device in ["cpu", "cuda:0"] {
        farm.wait_for_worker(device, WorkerState::Idle);
    }
    slow.block();
    // More than there are devices.
    for name in ["slow1", "slow2", "slow3"] {
        farm.drop_job(format!("{name}.yaml"), job_into("slow", name));
    }
    farm.drop_job("quick1.yaml", job_into("quick", "quick1"));
    farm.wait_until_done("quick1");
    farm.wait_until_degraded_by(&slow);
    farm.drop_job("quick2.yaml", job_into("quick", "quick2"));
    farm.wait_until_done("quick2");
    farm.wait_until_queued_for("slow1", &slow);

    slow.unblock();
    for name in ["slow1", "slow2", "slow3"] {
        farm.wait_until_done(name);
        assert_eq!(farm.report(name).0, "done");
    }
    assert_eq!(farm.renders().len(), 5, "each job has run once");
}

#[test]
fn daemon_stops_while_the_outputs_hang_and_the_next_one_renders_the_job() {
    let mut farm = Farm::stopped();
    let [outputs] = farm.shares(["outputs"]);
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    outputs.block();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until_degraded_by(&outputs);
    farm.assert_stops();

    outputs.unblock();
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.outputs().len(), 1);
}

#[test]
fn name_of_a_job_that_does_not_begin_after_all_is_given_back() {
    let mut farm = Farm::stopped();
    let [slow] = farm.shares(["outputs/slow"]);
    farm.start();
    farm.submit_gated();
    let text = farm.job_with("jobs/photo.png", "a cat") + "output: {dir: slow, name: cat}\n";
    farm.submit_text("cat", &text);
    let taken = farm.path("outputs/slow/cat.mp4");
    fs::write(&taken, "somebody else's").unwrap();
    slow.block();
    fs::write(farm.path("gate"), "").unwrap();
    farm.wait_until("the worker is free", |farm| {
        farm.show("gated")[0].is_finished().then_some(())
    });
    // While its folder is being made.
    farm.answer(&["hold", "cat"]);
    slow.unblock();
    farm.answer(&["cancel", "cat"]);
    farm.wait_until("only the other video is there", |farm| {
        (entries(&farm.path("outputs/slow")) == [taken.clone()]).then_some(())
    });
    assert_eq!(farm.renders().len(), 1);
}

#[test]
fn daemon_whose_outputs_hang_at_its_start_says_so_and_starts_when_they_are_back() {
    let mut farm = Farm::stopped();
    let [outputs] = farm.shares(["outputs"]);
    outputs.block();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.start();
    let told = farm.status();
    assert!(
        told.degraded
            .iter()
            .any(|note| note.code == "FP5023" && note.message.contains(outputs.path())),
        "{told:?}"
    );
    outputs.unblock();
    assert_eq!(farm.report("cat").0, "done");
    assert!(farm.status().degraded.is_empty());
}
