//! Rules 6 to 8: each file is taken once, whatever happens.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::Write,
};

use framepack_jobs::StateName;

use crate::fixture::{Farm, entries, job};

impl Farm {
    /// Keeps the worker busy until the returned file is there.
    pub(crate) fn occupy_worker(&self) -> std::path::PathBuf {
        let gate = self.path("occupied.gate");
        self.drop_prompt("occupied.yaml", &format!("wait {}", gate.display()));
        self.wait_until("the worker is busy", |farm| {
            let job = farm.show("occupied").pop()?;
            job.is(StateName::Running).then_some(())
        });
        gate
    }

    /// Job files in the folder that nobody has taken.
    pub(crate) fn untaken(&self) -> usize {
        let is_job = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "yaml");
        entries(&self.path("jobs"))
            .iter()
            .filter(|p| is_job(p))
            .count()
    }
}

#[test]
fn rule_06_two_daemons_on_one_folder_never_take_the_same_job() {
    const JOBS: usize = 200;
    let one = Farm::new();
    let mut other = Farm::stopped();
    let shared = format!("jobs: {}", one.path("jobs").display());
    other.replace_in_config("jobs: jobs", &shared);
    other.start();
    for n in 0..JOBS {
        one.drop_prompt(&format!("job{n}.yaml"), &format!("prompt {n}"));
    }
    let done = |farm: &Farm| farm.show("@done");
    one.wait_until("all are done", |one| {
        (done(one).len() + done(&other).len() >= JOBS).then_some(())
    });
    let names: HashSet<String> = [&one, &other]
        .into_iter()
        .flat_map(|farm| done(farm).into_iter().map(|job| job.name))
        .collect();
    assert_eq!(names.len(), JOBS, "each by one of them");
    one.wait_until("all are put away", |one| {
        one.claimed().is_empty().then_some(())
    });
    assert_eq!(one.renders().len() + other.renders().len(), JOBS);
    let is_status = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("STATUS.")
    };
    let files = entries(&one.path("jobs"));
    assert_eq!(
        files.iter().filter(|path| is_status(path)).count(),
        2,
        "each writes its own status"
    );
}

#[test]
fn rule_06_two_daemons_with_one_outputs_folder_never_write_the_same_file() {
    const JOBS: usize = 12;
    let one = Farm::new();
    let mut other = Farm::stopped();
    for folder in ["jobs", "outputs"] {
        let shared = format!("{folder}: {}", one.path(folder).display());
        other.replace_in_config(&format!("{folder}: {folder}"), &shared);
    }
    other.start();
    for n in 0..JOBS {
        let text = job(&format!("prompt {n}")) + "name: same\nseed: 5\n";
        one.drop_job(format!("job{n}.yaml"), text);
    }
    let done = |farm: &Farm| farm.show("@done");
    one.wait_until("all are done", |one| {
        (done(one).len() + done(&other).len() >= JOBS).then_some(())
    });
    let videos: HashSet<_> = [&one, &other]
        .into_iter()
        .flat_map(|farm| done(farm).into_iter().map(|job| job.output))
        .collect();
    assert_eq!(videos.len(), JOBS, "each its own");
    one.wait_until("no name is kept from anybody", |one| {
        (entries(&one.path("outputs")).len() == JOBS).then_some(())
    });
}

#[test]
fn rule_06_a_writer_who_goes_on_after_the_claim_is_told_so() {
    let farm = Farm::with_spool("settle_secs: 0.1, wait_inputs_secs: 600");
    farm.drop_job("cat.yaml", job("a cat").replace("photo", "later"));
    farm.wait_for_status("later.png does not exist");
    let claimed = farm.claimed().remove(0);
    let mut late = File::options().append(true).open(claimed).unwrap();
    writeln!(late, "steps: 7").unwrap();
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "rejected");
    assert_eq!(report["failure"]["code"], "FP2404");
}

#[test]
fn rule_07_nine_thousand_files_at_once_are_all_taken_once() {
    const JOBS: u64 = 9000;
    let mut farm = Farm::new();
    farm.occupy_worker();
    let files = farm.path("files");
    fs::create_dir(&files).unwrap();
    for n in 0..JOBS {
        let name = files.join(format!("job{n}.yaml"));
        fs::write(name, job(&format!("prompt {n}"))).unwrap();
    }
    for file in entries(&files) {
        let name = file.file_name().unwrap().to_owned();
        fs::rename(file, farm.path("jobs").join(name)).unwrap();
    }
    farm.wait_until("all are queued", |farm| {
        (farm.status().queued >= JOBS).then_some(())
    });
    farm.kill();
    farm.start();
    // What was not synced before the kill was not acknowledged, and is taken again from its claim.
    let unfinished = farm.wait_until("all are there again", |farm| {
        let status = farm.status();
        let unfinished = status.queued + status.running;
        (unfinished > JOBS).then_some(unfinished)
    });
    assert_eq!(unfinished, JOBS + 1, "with the one that ran");
    assert_eq!(farm.untaken(), 0);
    assert_eq!(farm.claimed().len() as u64, JOBS + 1);
    for outcome in ["done", "failed", "rejected", "duplicate"] {
        assert!(!farm.path("jobs").join(outcome).exists(), "{outcome}");
    }
}

#[test]
fn rule_07_a_claim_whose_job_is_stored_makes_no_second_job() {
    let mut farm = Farm::new();
    let gate = farm.occupy_worker();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    assert_eq!(farm.claimed().len(), 2);
    farm.kill();
    fs::write(gate, "").unwrap();
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.report("occupied").0, "done");
    assert_eq!(farm.show("@done").len(), 2);
    assert!(farm.claimed().is_empty());
}

#[test]
fn rule_08_duplicates_are_rendered_where_the_configuration_says_so() {
    for (dedupe, warnings) in [("warn", 1), ("off", 0)] {
        let farm = Farm::with_spool(&format!("settle_secs: 0.1, dedupe: {dedupe}"));
        for name in ["cat", "again"] {
            let text = format!("{}name: cat\nkey: mine\n", job("a cat"));
            farm.drop_job(format!("{name}.yaml"), text);
            assert_eq!(farm.report(name).0, "done", "{dedupe}");
        }
        let (_, report) = farm.report("again");
        assert_eq!(farm.renders(), [1, 2]);
        assert_eq!(farm.outputs().len(), 2, "each has a name of its own");
        let told = report["job"]["warnings"].as_array().map_or(0, Vec::len);
        assert_eq!(told, warnings, "{report}");
        if dedupe == "warn" {
            let told = report["job"]["warnings"][0].as_str().unwrap();
            assert!(told.starts_with("duplicate of job 1;"), "{told}");
        }
    }
}

#[test]
fn rule_08_skipping_duplicates_is_the_default_and_can_be_said() {
    let farm = Farm::with_spool("settle_secs: 0.1, dedupe: skip");
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    farm.drop_job("again.yaml", format!("{}name: cat\n", job("a cat")));
    assert_eq!(farm.report("again").0, "duplicate");
    assert_eq!(farm.renders(), [1]);
}
