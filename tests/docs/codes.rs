//! docs/TROUBLESHOOTING.md has every error code that a user can do something about.

use framepack_jobs::{Code, Fault};

/// Numbers of the codes that a text names, ranges (`FP2001–FP2008`) with all that is between.
fn named(text: &str) -> impl Fn(u16) -> bool {
    let mut ranges = Vec::new();
    for (at, _) in text.match_indices("FP") {
        let Some(first) = number(&text[at..]) else {
            continue;
        };
        let last = text[at + 6..].strip_prefix('–').and_then(number);
        ranges.push(first..=last.unwrap_or(first));
    }
    move |code| ranges.iter().any(|range| range.contains(&code))
}

/// Of a code that the text begins with.
fn number(text: &str) -> Option<u16> {
    text.strip_prefix("FP")?.get(..4)?.parse().ok()
}

#[test]
fn every_code_that_is_no_bug_is_in_troubleshooting() {
    let is_named = named(include_str!("../../docs/TROUBLESHOOTING.md"));
    let missing: Vec<_> = Code::all()
        .filter(|code| code.fault() != Fault::Program)
        .filter(|code| !number(code.as_str()).is_some_and(&is_named))
        .map(Code::as_str)
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn a_range_has_what_is_between_its_ends() {
    let is_named = named("FP1001, FP1004–FP1006 (FPx), FP20");
    let found: Vec<u16> = (1000..=2020).filter(|code| is_named(*code)).collect();
    assert_eq!(found, [1001, 1004, 1005, 1006]);
}
