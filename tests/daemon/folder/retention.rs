//! Rule 15: what was put away long ago.

use std::fs;

use crate::fixture::{Farm, entries};

#[test]
fn rule_15_what_is_old_or_too_much_is_moved_to_the_archive() {
    let mut farm = Farm::new();
    for name in ["one", "two", "three"] {
        farm.drop_prompt(&format!("{name}.yaml"), name);
        assert_eq!(farm.report(name).0, "done");
    }
    farm.stop();
    let old = farm.path("jobs/failed/2025-02-28");
    fs::create_dir_all(&old).unwrap();
    for name in ["cat.9.yaml", "cat.9.report.json", "cat.9.report.txt"] {
        fs::write(old.join(name), name).unwrap();
    }
    farm.configure("retention: {done_files: 2}\n");
    farm.start();
    let moved = farm.path("jobs/archive/failed/2025-02-28");
    farm.wait_until("the old ones are moved", |_| {
        (entries(&moved).len() == 3 && !old.exists()).then_some(())
    });
    let text = fs::read_to_string(moved.join("cat.9.report.txt")).unwrap();
    assert_eq!(text, "cat.9.report.txt");
    let archived = farm.wait_until("the first one is moved", |farm| {
        let days = entries(&farm.path("jobs/archive/done"));
        let files: Vec<_> = days.iter().flat_map(|day| entries(day)).collect();
        (files.len() == 2).then_some(files)
    });
    for file in archived {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("one.1."), "{name}");
    }
    assert_eq!(farm.filed("one", "").len(), 0);
    assert_eq!(
        farm.filed("two", "").len() + farm.filed("three", "").len(),
        4
    );
}

#[test]
fn rule_15_what_is_old_is_removed_where_the_configuration_says_so() {
    let mut farm = Farm::stopped();
    let old = farm.path("jobs/done/2025-02-28");
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join("cat.9.yaml"), "").unwrap();
    farm.configure("retention: {then: delete, done_days: 1}\n");
    farm.start();
    farm.wait_until("it is removed", |_| (!old.exists()).then_some(()));
    assert!(!farm.path("jobs/archive").exists());
}
