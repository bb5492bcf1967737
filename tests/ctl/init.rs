//! `init`: a farm folder, and nothing overwritten.

use std::{fs, path::Path};

use crate::{Ended, framepackctl_in, framepackctl_with};

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

/// `init` of a folder of this name, by somebody with this Hub cache.
fn init(folder: &Path, cache: &Path, arguments: &[&str]) -> (Ended, String) {
    let arguments = [&["init"], arguments, &["farm"]].concat();
    let ended = framepackctl_with(folder, &arguments, &[("HF_HUB_CACHE", cache)]);
    let config = folder.join("farm/framepackd.yaml");
    let config = fs::read_to_string(config).unwrap_or_default();
    (ended, config)
}

#[test]
fn the_hubs_cache_comes_before_the_demo_once_it_has_a_model() {
    let bundle = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/bundle"
    ));
    for (cache, arguments, told, section) in [
        (
            Path::new("/nonexistent"),
            &[][..],
            "models: the small ones",
            "/models/demo\"\n",
        ),
        (
            bundle,
            &[],
            "models: those in the Hub's cache\n",
            "# bundle: /srv/models\n",
        ),
        (
            bundle,
            &["--models", "demo"],
            "models: the small ones",
            "/models/demo\"\n",
        ),
        (
            Path::new("/nonexistent"),
            &["--models", "cache"],
            "which has none yet: framepackctl models fetch\n",
            "# bundle: /srv/models\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (ended, config) = init(folder.path(), cache, arguments);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains(told), "{}", ended.stdout);
        assert!(config.contains(section), "{config}");
    }
}

#[test]
fn what_would_not_work_later_is_refused() {
    let deep = "d".repeat(100);
    for (arguments, says) in [
        (
            &["init", "--models", "dmo", "farm"][..],
            "did you mean `demo`?",
        ),
        (
            &["init", "--models", "", "farm"],
            "an empty name is no folder",
        ),
        (&["init", &deep], "a socket's has at most 107"),
        (&["--json=a", "init", "farm"], "no field is called `a`"),
        (&["--json=a", "models", "ls"], "no field is called `a`"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ended = framepackctl_in(folder.path(), arguments, "");
        let told = [ended.stdout, ended.stderr].concat();
        assert_eq!(ended.code, 2, "{arguments:?}: {told}");
        assert!(told.contains(says), "{told}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
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
