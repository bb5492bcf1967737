//! The manual pages: every command has one, and a strict reader of manual pages has nothing to complain of.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::framepackctl_in;

/// A folder with all pages.
fn written() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    framepackctl_in(folder.path(), &["man", "."], "").assert(0, "", "");
    folder
}

/// The commands below one, as its help lists them.
fn commands(folder: &Path, above: &[String]) -> Vec<String> {
    let mut arguments: Vec<&str> = above.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = framepackctl_in(folder, &arguments, "").stdout;
    // The main one has its commands in groups, between what it is and its options.
    let listed = match help.split_once("\nCommands:\n") {
        Some((_, listed)) => listed.split("\n\n").next().unwrap(),
        None if above.is_empty() => help.split("\nOptions:\n").next().unwrap(),
        None => return Vec::new(),
    };
    let listed = listed.lines();
    // What goes on with a description is further to the right.
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_page() {
    let folder = written();
    let mut left = vec![Vec::new()];
    let mut seen = 0;
    while let Some(above) = left.pop() {
        let page = [&["framepackctl".to_owned()], &above[..]]
            .concat()
            .join("-");
        let text = fs::read_to_string(folder.path().join("man1").join(format!("{page}.1")));
        let text = text.unwrap_or_else(|error| panic!("{page}.1: {error}"));
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
        seen += 1;
        // `models` has its help from another program.
        if above.first().is_some_and(|name| name == "models") {
            continue;
        }
        for name in commands(folder.path(), &above) {
            left.push([&above[..], &[name]].concat());
        }
    }
    assert!(seen > 35, "{seen} commands are suspiciously few");
    let pages = fs::read_dir(folder.path().join("man1")).unwrap().count();
    assert_eq!(pages, seen, "pages of commands that do not exist");
}

#[test]
fn files_and_codes_have_pages_that_are_made_from_the_tables() {
    let folder = written();
    for (page, parts) in [
        (
            "man5/framepack-job.5",
            &["guidance.cfg", "window.at_end", "retry.max"][..],
        ),
        (
            "man5/framepackd.yaml.5",
            &["warm_after_secs", "cache.max_skip"],
        ),
        (
            "man7/framepack-errors.7",
            &["FP1001", "FP9111", "what to do: "],
        ),
        (
            "man8/framepackd.8",
            &["check\\-config", "import\\-env", "SIGTERM"],
        ),
    ] {
        let text = fs::read_to_string(folder.path().join(page)).unwrap();
        for part in parts {
            assert!(text.contains(part), "{page} lacks {part}");
        }
    }
}

#[test]
fn mandoc_finds_no_mistakes() {
    let folder = written();
    let mut pages: Vec<PathBuf> = Vec::new();
    for section in ["man1", "man5", "man7", "man8"] {
        let entries = fs::read_dir(folder.path().join(section)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let checked = Command::new("mandoc")
        .args(["-T", "lint", "-W", "warning"])
        .args(&pages)
        .output();
    let checked = checked.unwrap_or_else(|error| {
        panic!("mandoc: {error}; `make test` installs what the tests need")
    });
    let said = String::from_utf8(checked.stdout).unwrap();
    // A page of a release has no date of its own.
    let mistakes: Vec<&str> = said
        .lines()
        .filter(|line| !line.contains("missing date"))
        .collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
