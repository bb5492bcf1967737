//! Rules 1 to 5 and 12: how files are noticed, and when they are finished.

use std::{
    fs::{self, File},
    io::Write,
    time::{Duration, SystemTime},
};

use framepack_jobs::StateName;

use crate::{
    client::assert_code,
    fixture::{Farm, entries, job},
};

#[test]
fn rule_01_the_scan_finds_what_no_event_tells() {
    let farm = Farm::with_spool("mode: poll, settle_secs: 0.2, scan_secs: 0.2");
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    farm.wait_for_status("polling, because spool.mode is poll");
}

#[test]
fn rule_01_the_folder_is_looked_at_when_somebody_asks() {
    let farm =
        Farm::with_spool("mode: poll, settle_secs: 0.05, scan_secs: 3600, wait_inputs_secs: 0");
    farm.wait_for_status("Folder: ");
    farm.drop_job("bad.yaml", "api: framepack/v1\n");
    farm.drop_prompt("cat.yaml", "a cat");
    File::create(farm.path("jobs/empty.yaml")).unwrap();
    // An hour would pass until the next listing.
    farm.wait_until("all are found", |farm| {
        let output = farm.ctl(&["folder", "scan"]);
        assert_code(&output, 0);
        let told = String::from_utf8(output.stdout).unwrap();
        let is_settled = told.contains("; 1 waiting, 0 left");
        (is_settled && told.contains("empty.yaml: the file is empty")).then_some(())
    });
    assert_eq!(farm.report("bad").0, "rejected");
    assert_eq!(farm.report("cat").0, "done");
    let json = farm.ctl(&["folder", "scan", "--json=waiting,left"]);
    assert_code(&json, 0);
    let json = String::from_utf8(json.stdout).unwrap();
    assert!(
        json.contains("\"waiting\": 1") || json.contains("\"waiting\":1"),
        "{json}"
    );
}

#[test]
fn rule_01_what_lay_there_before_the_start_is_found() {
    let mut farm = Farm::stopped();
    farm.drop_prompt("cat.yaml", "a cat");
    fs::hard_link(farm.path("jobs/cat.yaml"), farm.path("jobs/linked.yml")).unwrap();
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.report("linked").0, "done");
}

#[test]
fn rule_02_a_folder_that_vanished_and_came_back_is_watched_again() {
    let farm = Farm::with_spool("settle_secs: 0.2, scan_secs: 0.2");
    let gate = farm.path("gate");
    farm.drop_prompt("cat.yaml", &format!("wait {}", gate.display()));
    farm.wait_until("it runs", |farm| {
        farm.show("cat")
            .pop()
            .filter(|job| job.is(StateName::Running))
    });
    fs::rename(farm.path("jobs"), farm.path("away")).unwrap();
    let note = farm.wait_until("it is told", |farm| farm.status().degraded.pop());
    assert_eq!(note.code, "FP5020");
    fs::write(gate, "").unwrap();
    farm.wait_until("the job goes on", |farm| {
        farm.show("cat").pop().filter(|job| job.is(StateName::Done))
    });

    // Another folder in its place is as good.
    fs::create_dir(farm.path("jobs")).unwrap();
    fs::write(farm.path("jobs/photo.png"), "P1 1 1 0").unwrap();
    farm.drop_prompt("dog.yaml", "a dog");
    assert_eq!(farm.report("dog").0, "done");
    assert_eq!(farm.status().degraded, []);
    assert!(farm.path("jobs/.incoming").is_dir());

    // And what was claimed in the first one is put away when it is back.
    fs::rename(farm.path("jobs"), farm.path("second")).unwrap();
    fs::rename(farm.path("away"), farm.path("jobs")).unwrap();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.renders(), [1, 2]);
}

#[test]
fn rule_03_valid_yaml_without_a_final_newline_is_taken_after_grace() {
    let farm = Farm::with_spool("settle_secs: 0.1, grace_secs: 1");
    fs::write(farm.path("jobs/cat.yaml"), job("a cat").trim_end()).unwrap();
    farm.wait_for_status("cat.yaml: it does not end in a newline");
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn rule_03_broken_yaml_is_still_being_written_until_grace_is_over() {
    let farm = Farm::with_spool("settle_secs: 0.1, grace_secs: 1");
    fs::write(farm.path("jobs/cat.yaml"), "api: [\n").unwrap();
    farm.wait_for_status("cat.yaml: it is not valid YAML");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "rejected");
    assert_eq!(report["failure"]["code"], "FP2106");
}

#[test]
fn rule_03_an_empty_file_waits_for_grace_and_is_then_rejected() {
    let farm = Farm::with_spool("settle_secs: 0.1, grace_secs: 1");
    File::create(farm.path("jobs/cat.yaml")).unwrap();
    farm.wait_for_status("cat.yaml: the file is empty");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "rejected");
    assert_eq!(report["failure"]["code"], "FP2401");
    // And what comes later under the name is looked at.
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("the second one is done", |farm| farm.show("@done").pop());
}

#[test]
fn rule_03_an_empty_file_that_is_filled_within_grace_is_a_job() {
    let farm = Farm::new();
    File::create(farm.path("jobs/cat.yaml")).unwrap();
    farm.wait_for_status("cat.yaml: the file is empty");
    fs::write(farm.path("jobs/cat.yaml"), job("a cat")).unwrap();
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn rule_04_a_complete_file_that_is_open_for_writing_waits_for_its_writer() {
    let farm = Farm::new();
    let mut file = File::create(farm.path("jobs/slow.yaml")).unwrap();
    write!(file, "{}", job("half a prompt")).unwrap();
    farm.wait_for_status("slow.yaml: it is open for writing");
    assert!(farm.show("slow").is_empty());
    writeln!(file, "steps: 7").unwrap();
    drop(file);
    assert_eq!(farm.report("slow").1["job"]["spec"]["steps"], 7);
}

#[test]
fn rule_04_a_file_renamed_by_a_program_that_still_writes_is_not_whole() {
    let farm = Farm::new();
    let mut file = File::create(farm.path("written")).unwrap();
    write!(file, "{}", job("half a prompt")).unwrap();
    fs::rename(farm.path("written"), farm.path("jobs/slow.yaml")).unwrap();
    farm.wait_for_status("slow.yaml: it is open for writing");
    writeln!(file, "steps: 7").unwrap();
    drop(file);
    assert_eq!(farm.report("slow").1["job"]["spec"]["steps"], 7);
}

#[test]
fn rule_05_temporary_names_are_left_alone() {
    let farm = Farm::new();
    let names = [
        ".c.yaml.8qweJE",
        "a.yaml~",
        "#a.yaml#",
        "~$a.yaml",
        "a.yaml.part",
        "sedMlZpkZ",
    ];
    for name in names {
        farm.drop_prompt(name, "a cat");
    }
    farm.drop_prompt("dog.yaml", "a dog");
    assert_eq!(farm.report("dog").0, "done");
    for name in names {
        assert!(farm.path("jobs").join(name).exists(), "{name}");
    }
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn rule_12_a_time_in_the_future_is_fine() {
    let farm = Farm::new();
    let path = farm.path("jobs/cat.yaml");
    fs::write(&path, job("a cat")).unwrap();
    let ahead = SystemTime::now() + Duration::from_hours(1);
    File::options()
        .append(true)
        .open(&path)
        .and_then(|file| file.set_modified(ahead))
        // Taken in between: then the time does not matter any more.
        .ok();
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn job_files_in_a_subfolder_are_not_read_and_that_is_said() {
    let farm = Farm::with_spool("settle_secs: 0.2, scan_secs: 0.2");
    fs::create_dir(farm.path("jobs/shots")).unwrap();
    fs::create_dir(farm.path("jobs/pictures")).unwrap();
    fs::write(farm.path("jobs/pictures/a.png"), "P1 1 1 0").unwrap();
    fs::write(farm.path("jobs/shots/cat.yaml"), job("a cat")).unwrap();
    farm.wait_for_status("shots/: 1 job files; only the jobs folder itself is read");
    assert!(!farm.status_txt().contains("pictures/"));
    assert_eq!(entries(&farm.path("jobs/shots")).len(), 1);
}
