//! Error codes: each means one thing, and `docs/ERRORS.md` says what.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::fixture::entries;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Rust sources below a folder, tests left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| {
        path.extension().is_some_and(|suffix| suffix == "rs") && !path.ends_with("tests.rs")
    };
    entries(folder)
        .into_iter()
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(is_source)
        .collect()
}

/// What stands before the file's tests, without its comments.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every `FPnnnn` of a text.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("FP")
        .filter_map(|(at, _)| text.get(at..at + 6))
        .filter(|code| code[2..].bytes().all(|byte| byte.is_ascii_digit()))
}

#[test]
fn each_code_is_used_in_one_place_and_documented_once() {
    let mut used: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for name in ["config", "jobs", "ipc", "engine", "daemon", "ctl"] {
        for path in sources(&Path::new(ROOT).join(name).join("src")) {
            for code in codes(&code_of(&path)) {
                used.entry(code.to_owned()).or_default().push(path.clone());
            }
        }
    }
    assert!(used.len() > 50, "{used:?}");
    for (code, places) in &used {
        assert_eq!(
            places.len(),
            1,
            "{code} has more than one meaning: {places:?}"
        );
    }
    let table = fs::read_to_string(Path::new(ROOT).join("docs/ERRORS.md")).unwrap();
    let documented: Vec<&str> = codes(&table).collect();
    let used: Vec<&str> = used.keys().map(String::as_str).collect();
    assert_eq!(documented, used, "in the order of their numbers");
}
