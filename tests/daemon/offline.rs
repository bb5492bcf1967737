//! `framepackd state`: the store of jobs while no daemon runs.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use framepack_jobs::StateName;

use crate::{client::assert_code, fixture::Farm};

impl Farm {
    /// Runs `framepackd state` on the farm's configuration.
    pub(crate) fn state(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_framepackd"))
            .args(["state", "--config"])
            .arg(self.path("framepackd.yaml"))
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The same, ended well.
    pub(crate) fn state_text(&self, arguments: &[&str]) -> String {
        let output = self.state(arguments);
        assert_code(&output, 0);
        String::from_utf8(output.stdout).unwrap()
    }

    /// An export of all jobs, made while no daemon runs.
    pub(crate) fn export(&self) -> PathBuf {
        let path = self.path("export.ndjson");
        self.state_text(&["export", path.to_str().unwrap()]);
        path
    }

    /// Neither store nor journal is there any more.
    pub(crate) fn lose_store(&self) {
        for name in ["store", "journal"] {
            fs::remove_dir_all(self.path("state").join(name)).unwrap();
        }
    }
}

#[track_caller]
fn assert_says(output: &Output, code: i32, expected: &[&str]) {
    assert_code(output, code);
    let stderr = String::from_utf8_lossy(&output.stderr);
    for words in expected {
        assert!(stderr.contains(words), "{words:?} is not in\n{stderr}");
    }
}

#[test]
fn a_daemons_store_is_left_to_it() {
    let farm = Farm::new();
    let refused = farm.state(&["repair"]);
    assert_says(&refused, 10, &["[FP8005]", "framepackctl state"]);
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done", "it is not disturbed");
}

#[test]
fn a_folder_that_is_no_state_directory_stays_as_it_is() {
    let farm = Farm::stopped();
    fs::create_dir(farm.path("state")).unwrap();
    for arguments in [&["check"][..], &["repair"], &["export", "/dev/null"]] {
        assert_says(&farm.state(arguments), 4, &["[FP8007]", "paths.state"]);
    }
    assert_eq!(fs::read_dir(farm.path("state")).unwrap().count(), 0);
}

#[test]
fn a_store_is_checked_exported_and_repaired_without_a_daemon() {
    let mut farm = Farm::new();
    for (stem, prompt) in [("cat", "a cat"), ("dog", "oom")] {
        farm.drop_prompt(&format!("{stem}.yaml"), prompt);
        farm.report(stem);
    }
    farm.stop();
    let check = farm.state_text(&["check"]);
    assert!(check.starts_with("jobs       2 "), "{check}");
    assert!(check.ends_with("sound\n"), "{check}");

    fs::remove_dir_all(farm.path("state/store")).unwrap();
    let check = farm.state(&["check"]);
    assert_code(&check, 14);
    let text = String::from_utf8_lossy(&check.stdout);
    assert!(text.contains("problem    there is no store"), "{text}");
    assert!(!farm.path("state/store").exists(), "nothing was repaired");
    let export = farm.path("export.ndjson");
    let exported = farm.state(&["export", export.to_str().unwrap()]);
    assert_code(&exported, 14);
    assert_eq!(fs::read_to_string(export).unwrap().lines().count(), 2);

    let repair = farm.state_text(&["repair"]);
    assert!(repair.contains("[FP4001]"), "{repair}");
    assert!(repair.ends_with("sound\n"), "{repair}");
    assert!(!farm.state_text(&["acknowledge"]).contains("FP4001"));
    farm.start();
    assert_eq!(farm.show("cat")[0].state.name(), StateName::Done);
    assert_eq!(farm.show("dog")[0].state.name(), StateName::Failed);
}

#[test]
fn jobs_are_imported_with_their_images_before_a_daemon_misses_them() {
    let mut farm = Farm::new();
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    farm.stop();
    let export = farm.export();
    let export = export.to_str().unwrap();
    farm.lose_store();
    let imported = farm.state_text(&["import", export]);
    assert!(imported.contains("1 jobs added"), "{imported}");
    let again = farm.state_text(&["import", export]);
    assert!(again.contains("0 jobs added, 1 already present"), "{again}");
    farm.start();
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.show("cat")[0].id.0, 1);
}

#[test]
fn ended_jobs_are_taken_to_another_state_directory() {
    let mut old = Farm::new();
    old.drop_prompt("cat.yaml", "a cat");
    assert_eq!(old.report("cat").0, "done");
    let before = old.show("1");
    old.stop();
    let export = old.export();
    let mut new = Farm::stopped();
    new.state_text(&["import", export.to_str().unwrap()]);
    new.start();
    assert_eq!(new.show("1"), before);
    new.drop_prompt("dog.yaml", "a dog");
    assert_eq!(new.report("dog").0, "done");
    assert_eq!(new.show("dog")[0].id.0, 2);
}

#[test]
fn what_is_no_export_and_what_cannot_be_written_is_said() {
    let mut farm = Farm::new();
    farm.stop();
    fs::write(farm.path("noise"), "no export\n").unwrap();
    let import = farm.state(&["import", farm.path("noise").to_str().unwrap()]);
    assert_says(&import, 6, &["not an export of jobs", "[FP2108]"]);
    fs::write(farm.path("other"), "{\"job\":7}\n").unwrap();
    let import = farm.state(&["import", farm.path("other").to_str().unwrap()]);
    assert_code(&import, 1);
    assert!(String::from_utf8_lossy(&import.stdout).contains("refused: not a record"));
    let nowhere = farm.path("nowhere/export.ndjson");
    let export = farm.state(&["export", nowhere.to_str().unwrap()]);
    assert_says(&export, 6, &["writing ", "[FP2109]"]);
}
