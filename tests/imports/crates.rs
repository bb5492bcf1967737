//! Who may reach which crate of others, held against Cargo.lock: over any number of crates, in programs and in tests.

use std::collections::{BTreeMap, BTreeSet};

/// A crate, and those of ours that may reach it.
const RULES: [(&str, &[&str]); 5] = [
    ("notify", &["framepackd"]),
    ("rustls", &["framepack-hub"]),
    ("sled", &["framepackd"]),
    ("tch", &["framepack-engine"]),
    ("ureq", &["framepack-hub"]),
];

/// All that is against the rules.
pub(crate) fn wrong_reach(lock: &str) -> Vec<String> {
    let packages = packages(lock);
    let mut wrong = Vec::new();
    for (name, may) in RULES {
        let ours = packages.keys().filter(|it| it.starts_with("framepack"));
        let reach = ours.filter(|of| reached(of, &packages).contains(name));
        let reach: BTreeSet<&str> = reach.copied().collect();
        if reach != may.iter().copied().collect() {
            wrong.push(format!(
                "{name} is reached by {reach:?}, and may be by {may:?}"
            ));
        }
    }
    wrong
}

/// Each package with those that it names; versions of one name are one.
fn packages(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let quoted = |line: &'static str| package.lines().find_map(|it| it.strip_prefix(line));
        let Some(name) = quoted("name = \"") else {
            continue;
        };
        let (_, list) = package.split_once("dependencies = [").unwrap_or_default();
        let (list, _) = list.split_once(']').unwrap_or_default();
        let named = list.split('"').skip(1).step_by(2);
        let named = named.filter_map(|text| text.split(' ').next());
        let entry = packages.entry(name.trim_end_matches('"'));
        entry.or_default().extend(named);
    }
    packages
}

fn reached<'a>(from: &str, packages: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = packages[from].iter().copied().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(packages.get(name).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn reach_is_told_over_other_crates() {
    let lock = |dependency: &str| {
        let package = |name: &str, of: &str| {
            format!("[[package]]\nname = \"{name}\"\ndependencies = [\n \"{of}\",\n]\n\n")
        };
        let kept = [
            ("framepackd", "sled"),
            ("framepackd", "notify 8.2.0"),
            ("framepack-engine", "tch"),
            ("framepack-hub", "ureq"),
            ("ureq", "rustls"),
            ("framepackctl", "between"),
            ("between", dependency),
        ];
        kept.map(|(name, of)| package(name, of)).concat()
    };
    assert_eq!(wrong_reach(&lock("serde")), [""; 0]);
    let told = wrong_reach(&lock("ureq"));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("ureq is reached by {\"framepack-hub\", \"framepackctl\"}"));
}
