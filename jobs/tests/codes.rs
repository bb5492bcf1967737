//! Error codes in the sources of all crates: each is used, and by its name.
#![expect(clippy::unwrap_used, reason = "the sources are there")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TABLE: &str = "jobs/src/error/table";

/// Rust sources below a folder, without tests and the table itself.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests") || path.ends_with("tests.rs") || path.ends_with(TABLE) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            found.push(path);
        }
    }
    found
}

/// What stands before a file's tests, without comments.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn all_code() -> Vec<(PathBuf, String)> {
    let crates = [
        "yaml", "config", "jobs", "ipc", "bundle", "hub", "engine", "daemon", "ctl",
    ];
    let files = crates.map(|name| sources(&Path::new(ROOT).join(name).join("src")));
    let files = files.into_iter().flatten();
    files.map(|path| (path.clone(), code_of(&path))).collect()
}

/// Names of the constants in the table.
fn names() -> BTreeSet<String> {
    let files = fs::read_dir(Path::new(ROOT).join(TABLE)).unwrap();
    let rows = files.flat_map(|file| {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let rows = text.lines().filter_map(|line| line.split_once(" \"FP"));
        let names: Vec<String> = rows.map(|(name, _)| name.trim().to_owned()).collect();
        names
    });
    rows.collect()
}

#[test]
fn every_code_is_used() {
    let names = names();
    assert_eq!(names.len(), framepack_jobs::Code::all().count());
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let mut unused = names;
    for (_, code) in all_code() {
        for after in code.split("Code::").skip(1) {
            let name: String = after.chars().take_while(|c| is_name(*c)).collect();
            unused.remove(&name);
        }
    }
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn no_code_is_spelled_out() {
    for (path, code) in all_code() {
        let spelled = code.match_indices("\"FP").any(|(at, _)| {
            code[at + 3..]
                .bytes()
                .take(4)
                .all(|byte| byte.is_ascii_digit())
        });
        assert!(!spelled, "{}: use its name in the table", path.display());
    }
}
