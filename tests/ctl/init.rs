//! `init`: a farm folder, and nothing overwritten.

use std::{fs, path::Path};

use crate::framepackctl_in;

const FILES: [&str; 4] = [
    "framepackd.yaml",
    "README.md",
    "examples/first.yaml",
    "examples/astronaut.jpg",
];

#[test]
fn a_farm_folder_has_a_configuration_an_example_and_a_readme_of_five_lines() {
    let folder = tempfile::tempdir().unwrap();
    let ended = framepackctl_in(folder.path(), &["init", "farm"], "");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let written = FILES.map(|file| format!("farm/{file}\n")).concat();
    assert!(ended.stdout.starts_with(&written), "{}", ended.stdout);
    let farm = folder.path().join("farm");
    assert!(farm.join("jobs").is_dir());
    let readme = fs::read_to_string(farm.join("README.md")).unwrap();
    assert_eq!(readme.lines().count(), 5);
    let config = fs::read_to_string(farm.join("framepackd.yaml")).unwrap();
    // In a checkout, the demo is there.
    assert!(config.contains("/models/demo\"\n"), "{config}");
    assert!(!config.contains('@'), "{config}");
}

#[test]
fn the_models_are_those_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["init", "--models", "my \"models\"", "farm"];
    assert_eq!(framepackctl_in(folder.path(), &arguments, "").code, 0);
    let config = fs::read_to_string(folder.path().join("farm/framepackd.yaml")).unwrap();
    assert!(config.contains(r#"/my \"models\"""#), "{config}");
}

#[test]
fn what_is_there_is_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (file, says) in [
        ("README.md", "error: ./README.md exists [FP1017]"),
        (
            "framepackd.yaml",
            "error: ./framepackd.yaml, ./README.md exist [FP1017]",
        ),
    ] {
        fs::write(folder.path().join(file), "mine").unwrap();
        let ended = framepackctl_in(folder.path(), &["init"], "");
        assert_eq!((ended.code, ended.stdout.as_str()), (10, ""));
        assert!(ended.stderr.starts_with(says), "{}", ended.stderr);
        assert_eq!(read(folder.path(), file), "mine");
    }
    assert!(!folder.path().join("examples").exists());
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}
