//! The store: what is repaired, what keeps it closed, and how it is taken elsewhere.

use std::fs;

use framepack_jobs::StateName;

use crate::{client::assert_code, fixture::Farm};

impl Farm {
    fn reconfigure(&self, from: &str, to: &str) {
        let path = self.path("framepackd.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Codes of what `ping` complains of.
    fn complaints(&self) -> Vec<String> {
        let notes = self.status().degraded;
        notes
            .into_iter()
            .map(|note| note.code.to_string())
            .collect()
    }

    fn ctl_text(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        assert_code(&output, 0);
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_missing_store_is_rebuilt_and_said_until_it_is_acknowledged() {
    let mut farm = Farm::new();
    for prompt in ["a cat", "a dog"] {
        farm.drop_prompt(&format!("{}.yaml", &prompt[2..]), prompt);
        assert_eq!(farm.report(&prompt[2..]).0, "done");
    }
    farm.stop();
    fs::remove_dir_all(farm.path("state/store")).unwrap();
    farm.start();
    assert_eq!(farm.show("@done").len(), 2);
    assert_eq!(farm.complaints(), ["FP4001"]);
    farm.kill();
    farm.start();
    assert_eq!(farm.complaints(), ["FP4001"]);
    assert!(farm.ctl_text(&["state", "check"]).contains("sound"));
    farm.ctl_text(&["state", "acknowledge"]);
    assert!(farm.complaints().is_empty());
    farm.drop_prompt("bird.yaml", "a bird");
    assert_eq!(farm.report("bird").0, "done");
    assert_eq!(farm.show("bird")[0].id.0, 3);
}

#[test]
fn too_little_space_keeps_the_store_closed_and_the_socket_answering() {
    let mut farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    farm.stop();
    farm.configure("disk: {floor_mib: 16777216}\n");
    farm.start();
    assert_eq!(farm.complaints(), ["FP4003"]);
    assert_code(&farm.ctl(&["list"]), 11);
    let file = farm.write_job("dog.yaml", "a dog");
    assert_code(&farm.ctl(&["submit", &file]), 11);
    let check = farm.ctl(&["state", "check"]);
    assert_code(&check, 14);
    assert!(String::from_utf8_lossy(&check.stdout).contains("jobs       1"));
    let export = farm.path("export.ndjson");
    farm.ctl_text(&["state", "export", export.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(export).unwrap().lines().count(), 1);
    assert!(farm.stop().success());
    farm.reconfigure("16777216", "1");
    farm.start();
    assert!(farm.complaints().is_empty());
    assert_eq!(farm.show("cat")[0].state.name(), StateName::Done);
}

#[test]
fn a_store_that_nothing_can_rebuild_is_opened_when_a_user_says_so() {
    let mut farm = Farm::new();
    farm.stop();
    fs::remove_dir_all(farm.path("state/journal")).unwrap();
    fs::write(farm.path("state/store/db"), vec![0x5a; 70_000]).unwrap();
    farm.start();
    assert_eq!(farm.complaints(), ["FP4004"]);
    assert_code(&farm.ctl(&["list"]), 14);
    farm.ctl_text(&["state", "repair"]);
    farm.wait_until("the jobs are there again", |farm| {
        farm.ctl(&["list"]).status.success().then_some(())
    });
    assert_eq!(farm.complaints(), ["FP4001"]);
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn jobs_are_exported_and_imported_once() {
    let mut farm = Farm::new();
    for (stem, prompt) in [("cat", "a cat"), ("dog", "oom")] {
        farm.drop_prompt(&format!("{stem}.yaml"), prompt);
        farm.report(stem);
    }
    let export = farm.path("export.ndjson");
    let export = export.to_str().unwrap();
    assert!(
        farm.ctl_text(&["state", "export", export])
            .starts_with("2 jobs")
    );
    assert!(
        farm.ctl_text(&["state", "import", export])
            .contains("0 jobs added, 2 already present")
    );
    let before = farm.show("1-2");
    farm.stop();
    for name in ["store", "journal"] {
        fs::remove_dir_all(farm.path("state").join(name)).unwrap();
    }
    farm.start();
    assert_eq!(
        farm.complaints(),
        ["FP4005"],
        "it does not begin anew in silence"
    );
    assert!(farm.show("@done").is_empty());
    assert!(
        farm.ctl_text(&["state", "import", export])
            .contains("2 jobs added")
    );
    assert!(
        farm.ctl_text(&["state", "import", export])
            .contains("0 jobs added, 2 already present")
    );
    assert_eq!(farm.show("1-2"), before);
}

#[test]
fn a_number_that_leaves_no_higher_ones_is_not_imported() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    let path = farm.path("export.ndjson");
    let export = path.to_str().unwrap();
    farm.ctl_text(&["state", "export", export]);
    let text = fs::read_to_string(&path).unwrap();
    let key = farm.show("cat")[0].key.clone();
    let text = text.replacen("\"id\":1,", "\"id\":18446744073709551615,", 1);
    fs::write(&path, text.replace(&key, "another")).unwrap();
    let refused = farm.ctl(&["state", "import", export]);
    let said = String::from_utf8_lossy(&refused.stderr) + String::from_utf8_lossy(&refused.stdout);
    assert!(said.contains("not a valid job number"), "{said}");
}

#[test]
fn a_job_that_does_not_fit_on_the_disk_waits_and_says_so() {
    let mut farm = Farm::stopped();
    farm.configure("disk: {reserve_mib: 16777216}\n");
    farm.start();
    farm.drop_prompt("cat.yaml", "a cat");
    let paused = farm.wait_until("the queue is paused", |farm| farm.status().paused);
    assert!(paused.contains("disk.reserve_mib"), "{paused}");
    assert_eq!(farm.complaints(), ["FP4006"]);
    assert_eq!(farm.show("cat")[0].state.name(), StateName::Queued);
    farm.stop();
    farm.reconfigure("16777216", "1");
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.show("cat")[0].runs.attempts, 1);
}
