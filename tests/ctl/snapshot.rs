//! Texts as they were when somebody last looked at them, in files of `tests/ctl/snapshots`.
//!
//! `FRAMEPACK_SNAPSHOTS=write cargo test -p framepackctl --test ctl looks` writes them again; then `git diff` shows what
//! has changed.

use std::{env, fmt::Write, fs, path::PathBuf};

/// What has to be `write` for files to be written.
const VARIABLE: &str = "FRAMEPACK_SNAPSHOTS";

/// Compares a text with the file of this name, or writes it there.
pub(crate) fn check(name: &str, text: &str) -> Result<(), String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/ctl/snapshots")
        .join(name);
    if env::var_os(VARIABLE).is_some_and(|value| value == "write") {
        fs::write(&file, text).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if expected == text {
        return Ok(());
    }
    let difference = difference(&expected, text);
    Err(format!(
        "{name} has changed (- as it was, + as it is; {VARIABLE}=write accepts it):\n{difference}"
    ))
}

/// The lines between what begins and what ends both alike.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(old, new)| old == new).count()
    };
    let begin = same(&mut old.iter().zip(&new));
    let rest = old.len().min(new.len()) - begin;
    let end = same(&mut old.iter().rev().zip(new.iter().rev())).min(rest);
    let mut text = String::new();
    for (mark, lines) in [('-', &old), ('+', &new)] {
        for line in &lines[begin..lines.len() - end] {
            let _ = writeln!(text, "{mark} {line}");
        }
    }
    text
}

/// The text with its colours as words: `<green>done</>`.
pub(crate) fn with_named_colours(text: &str) -> String {
    let mut named = text.to_owned();
    for (code, name) in [
        ("0", "/"),
        ("1", "bold"),
        ("2", "dim"),
        ("31", "red"),
        ("32", "green"),
        ("33", "yellow"),
        ("34", "blue"),
        ("35", "magenta"),
        ("36", "cyan"),
    ] {
        named = named.replace(&format!("\u{1b}[{code}m"), &format!("<{name}>"));
    }
    named
}

#[test]
fn a_difference_is_shown_without_what_is_alike() {
    assert_eq!(difference("a\nb\nc\n", "a\nx\ny\nc\n"), "- b\n+ x\n+ y\n");
    assert_eq!(difference("a\na\n", "a\n"), "- a\n");
}
