//! Rule 16: a folder into which nothing is written.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::PathBuf,
    time::SystemTime,
};

use super::bundle::bundled;
use crate::fixture::{Farm, entries, job};

const SETTINGS: &str = "readonly: true, settle_secs: 0.2, scan_secs: 0.2, wait_inputs_secs: 0";

impl Farm {
    /// Everything that is in the jobs folder, and when the folder was last changed.
    fn dropped(&self) -> (BTreeMap<PathBuf, Vec<u8>>, (i64, i64)) {
        let folder = self.path("jobs");
        let files = entries(&folder).into_iter();
        let files = files.map(|path| (path.clone(), fs::read(path).unwrap_or_default()));
        let metadata = folder.metadata().unwrap();
        (files.collect(), (metadata.mtime(), metadata.mtime_nsec()))
    }

    /// Names of what was put away with this outcome.
    fn filed_in(&self, outcome: &str) -> Vec<String> {
        let days = entries(&self.path("state/spool").join(outcome));
        let files = days.iter().flat_map(|day| entries(day));
        files
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    }

    fn wait_for_paper(&self, outcome: &str, name: &str) {
        self.wait_until(&format!("{name} in {outcome}"), |farm| {
            farm.filed_in(outcome)
                .contains(&name.to_owned())
                .then_some(())
        });
    }

    fn own_status_txt(&self) -> String {
        fs::read_to_string(self.path("state/spool/STATUS.txt")).unwrap_or_default()
    }
}

#[test]
fn rule_16_files_of_a_read_only_folder_are_taken_once_and_stay() {
    let mut farm = Farm::stopped();
    farm.set_spool(SETTINGS);
    for (name, text) in [
        ("cat.yaml", job("a cat")),
        ("bad.yaml", "api: framepack/v1\n".to_owned()),
    ] {
        fs::write(farm.path("jobs").join(name), text).unwrap();
    }
    let before = farm.dropped();
    farm.start();
    farm.wait_for_paper("done", "cat.1.yaml");
    farm.wait_until("the other is rejected", |farm| {
        (farm.filed_in("rejected").len() == 3).then_some(())
    });
    assert_eq!(farm.filed_in("done"), ["cat.1.report.json", "cat.1.yaml"]);
    assert_eq!(farm.dropped(), before, "nothing was written there");
    assert!(farm.own_status_txt().contains(", read-only"));

    // Neither the next scans nor the next daemon take them again; what comes later is taken.
    farm.kill();
    farm.start();
    farm.drop_prompt("dog.yaml", "a dog");
    farm.wait_for_paper("done", "dog.2.yaml");
    assert_eq!(farm.renders(), [1, 2]);
    assert_eq!(farm.filed_in("rejected").len(), 3);
    assert!(farm.filed_in("duplicate").is_empty());
    assert!(farm.claimed().is_empty());
}

#[test]
fn rule_16_a_touched_file_is_looked_at_again() {
    let farm = Farm::with_spool(SETTINGS);
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_for_paper("done", "cat.1.yaml");
    let file = fs::File::options()
        .append(true)
        .open(farm.path("jobs/cat.yaml"))
        .unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    drop(file);
    farm.wait_until("it is a duplicate", |farm| farm.filed_in("duplicate").pop());
    assert_eq!(farm.renders(), [1]);
}

#[test]
fn rule_16_bundles_are_copied_as_a_whole() {
    let mut farm = Farm::stopped();
    farm.set_spool(SETTINGS);
    let folder = farm.write_bundle("written", "a cat");
    fs::rename(folder, farm.path("jobs/cat.job")).unwrap();
    let text = bundled("a dog");
    farm.drop_zip(
        "dog.zip",
        &[
            ("shot.yaml", text.as_bytes()),
            ("pictures/start.png", b"P1 1 1 0"),
        ],
    );
    let before = farm.dropped();
    farm.start();
    let both_are_done = |farm: &Farm| (farm.filed_in("done").len() == 4).then_some(());
    farm.wait_until("both are done", both_are_done);
    farm.kill();
    farm.start();
    farm.drop_prompt("last.yaml", "a last one");
    farm.wait_for_paper("done", "last.3.yaml");
    assert_eq!(farm.renders().len(), 3, "neither is taken again");
    fs::remove_file(farm.path("jobs/last.yaml")).unwrap();
    assert_eq!(farm.dropped().0, before.0);
    assert!(farm.path("jobs/cat.job/pictures/start.png").exists());
}

#[test]
fn rule_16_what_can_not_be_read_is_left_alone_and_that_is_said() {
    let farm = Farm::with_spool(SETTINGS);
    symlink("photo.png", farm.path("jobs/link.yaml")).unwrap();
    farm.wait_until("it is said", |farm| {
        let said = "link.yaml: it can't be claimed: not a regular file, but a symbolic link";
        farm.own_status_txt().contains(said).then_some(())
    });
    assert!(farm.path("jobs/link.yaml").is_symlink());
}
