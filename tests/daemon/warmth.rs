//! `warmup` and `unload`: what workers without a job hold in memory, when users want it otherwise.

use std::{fs, process::Output};

use framepack_ipc::{control::WorkerState, worker::Temperature};

use crate::{client::assert_code, fixture::Farm};

fn idle_farm() -> Farm {
    let farm = Farm::new();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    farm
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Farm {
    /// What a command says that succeeds.
    #[track_caller]
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        assert_code(&output, 0);
        stdout(&output)
    }

    fn temperature(&self) -> Option<Temperature> {
        self.worker("cpu").temperature
    }
}

#[test]
fn models_of_the_jobs_to_come_are_loaded_and_given_up() {
    let farm = idle_farm();
    let loaded = farm.said(&["warmup", "aggressive", "--set", "model=f1"]);
    assert!(loaded.starts_with("cpu: models loaded in "), "{loaded}");
    assert!(loaded.ends_with("; 7.00 GiB are free\n"), "{loaded}");
    let [warmed] = farm.noted("warm.log").try_into().unwrap();
    assert!(warmed.starts_with("f1 {"), "{warmed}");
    assert!(
        warmed.contains("memory.preserve_gb"),
        "as the profile has it: {warmed}"
    );
    assert_eq!(farm.temperature(), Some(Temperature::Hot));

    let warm = "cpu: warm, 16.00 GiB were freed; 23.00 GiB are free\n";
    assert_eq!(farm.said(&["unload", "warm"]), warm);
    assert_eq!(farm.temperature(), Some(Temperature::Warm));
    let cold = "cpu: cold, 20.00 GiB were freed; 23.00 GiB are free\n";
    assert_eq!(farm.said(&["unload"]), cold);
    let nothing = "cpu: cold, nothing was given up; 23.00 GiB are free\n";
    assert_eq!(farm.said(&["unload", "warm"]), nothing);
    assert_eq!(farm.temperature(), Some(Temperature::Cold));

    // The next job has its models loaded again.
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn no_more_is_given_up_than_it_takes() {
    let farm = idle_farm();
    farm.said(&["warmup"]);
    let until = |gb| farm.ctl(&["unload", "--until-free-gb", gb]);
    let enough = until("5");
    assert_code(&enough, 0);
    assert_eq!(
        stdout(&enough),
        "cpu: hot, nothing was given up; 7.00 GiB are free\n"
    );
    let warm = until("20.5");
    assert_code(&warm, 0);
    assert_eq!(
        stdout(&warm),
        "cpu: warm, 16.00 GiB were freed; 23.00 GiB are free\n"
    );
    let short = until("24");
    assert_code(&short, 11);
    assert!(
        stdout(&short).contains("less than asked for"),
        "{}",
        stdout(&short)
    );
    assert_eq!(farm.noted("cool.log"), ["warm", "cold"]);
}

#[test]
fn a_device_with_a_job_is_left_alone() {
    let farm = Farm::new();
    let job = farm.submit_gated();
    let alone = format!("cpu: left alone: it renders job {}\n", job.id);
    for command in ["warmup", "unload"] {
        assert_eq!(farm.said(&[command]), alone);
        let named = farm.ctl(&[command, "--device", "cpu"]);
        assert_code(&named, 10);
        assert_code(&farm.ctl(&[command, "--device", "cuda:7"]), 4);
    }
    assert_eq!(farm.noted("cool.log"), [""; 0]);
    assert_eq!(farm.noted("warm.log"), [""; 0]);
}

#[test]
fn a_job_that_comes_while_models_are_loaded_waits_for_them() {
    let farm = idle_farm();
    let slow = farm.path("state/slow-cpu");
    fs::write(&slow, "").unwrap();
    std::thread::scope(|scope| {
        let warming = scope.spawn(|| farm.ctl(&["warmup", "--json=outcome"]));
        let note = farm.wait_until("the worker loads", |farm| {
            (!farm.noted("warm.log").is_empty()).then_some(())?;
            farm.worker("cpu").note
        });
        assert!(note.contains("loading models"), "{note}");
        farm.drop_prompt("cat.yaml", "a cat");
        farm.wait_for_worker("cpu", WorkerState::Busy);
        fs::remove_file(&slow).unwrap();
        let warmed = warming.join().unwrap();
        assert_code(&warmed, 0);
        assert_eq!(stdout(&warmed), "[{\"outcome\":\"loaded\"}]\n");
    });
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.worker("cpu").note, None);
}

#[test]
fn models_that_can_t_be_loaded_and_workers_that_can_t_load_them_are_said() {
    let farm = idle_farm();
    let unusable = farm.path("state/unusable-original");
    fs::write(&unusable, "FP3012").unwrap();
    let failed = farm.ctl(&["warmup"]);
    assert!(!failed.status.success());
    assert!(
        stdout(&failed).starts_with("cpu: failed: "),
        "{}",
        stdout(&failed)
    );
    assert!(
        stdout(&failed).ends_with("[FP3012]\n"),
        "{}",
        stdout(&failed)
    );
    assert_eq!(farm.temperature(), Some(Temperature::Cold));
    assert_code(&farm.ctl(&["warmup", "no-such-profile"]), 6);

    let mut farm = Farm::stopped();
    fs::create_dir(farm.path("state")).unwrap();
    fs::write(farm.path("state/earlier-version"), "").unwrap();
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    let unable = farm.ctl(&["warmup"]);
    assert_code(&unable, 1);
    assert!(
        stdout(&unable).contains("of an earlier version"),
        "{}",
        stdout(&unable)
    );
    assert_eq!(farm.said(&["unload"]), "cpu: cold, nothing was given up\n");
    assert_eq!(farm.noted("warm.log"), [""; 0], "it was not asked");
}
