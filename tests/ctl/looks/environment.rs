//! What users say about colours, width and symbols counts.

use std::process::Command;

use framepack_ipc::control::Response;
use framepack_jobs::JobState;

use super::on_terminal;
use crate::{
    Ended,
    fake_daemon::FakeDaemon,
    fixtures::{done, job},
    terminal::at_home,
    waiting::nothing_waits,
};

fn two_jobs() -> Vec<Response> {
    let mut named = job(2, JobState::Queued);
    named.name = "日本語の映画と長い名前と日本語の映画と長い名前".into();
    let jobs = vec![job(1, done()), named];
    vec![Response::Jobs { jobs }, nothing_waits()]
}

/// `list` on a terminal of 80 columns.
fn list(arguments: &[&str], set: impl FnOnce(&mut Command) -> &mut Command) -> String {
    let daemon = FakeDaemon::start(two_jobs());
    let arguments = [&["list"], arguments].concat();
    let mut command = at_home(daemon.folder.path(), &arguments);
    on_terminal(80, set(&mut command))
}

fn piped(arguments: &[&str]) -> String {
    let daemon = FakeDaemon::start(two_jobs());
    let arguments = [&["list"], arguments].concat();
    let mut command = at_home(daemon.folder.path(), &arguments);
    command.env("CLICOLOR_FORCE", "1").env("COLUMNS", "40");
    Ended::of(command.output().unwrap()).stdout
}

fn has_colours(text: &str) -> bool {
    text.contains("\u{1b}[")
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    assert!(has_colours(&list(&[], |command| command)));
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")] {
        let text = list(&[], |command| command.env(variable, value));
        assert!(!has_colours(&text), "{variable}={value}: {text}");
        assert!(text.contains("done"), "{text}");
    }
    let text = list(&["--color", "never"], |command| command);
    assert!(!has_colours(&text), "{text}");
    let text = list(&["--color=always"], |command| command.env("NO_COLOR", "1"));
    assert!(has_colours(&text), "{text}");
}

#[test]
fn a_pipe_gets_colours_and_headings_only_if_somebody_says_so() {
    let plain = piped(&[]);
    assert!(plain.starts_with("1\tdone\t\tcat\t"), "{plain}");
    assert!(!has_colours(&plain), "{plain}");
    let coloured = piped(&["--color=always"]);
    assert!(has_colours(&coloured), "{coloured}");
    assert!(coloured.contains("STATE"), "{coloured}");
}

#[test]
fn lines_are_as_wide_as_columns_says_and_never_wider() {
    for columns in ["48", "64", "100"] {
        let text = list(&["--color=never"], |command| {
            command.env("COLUMNS", columns)
        });
        let most = columns.parse::<usize>().unwrap();
        let widths: Vec<usize> = text.lines().map(width).collect();
        assert!(
            widths.iter().all(|width| *width <= most),
            "{columns}: {text}"
        );
        assert!(
            widths.iter().any(|width| most - width < 20),
            "{columns}: {text}"
        );
    }
}

/// Columns of a terminal, of which the characters of these names take two.
fn width(line: &str) -> usize {
    let one = |c: char| if c >= '\u{3000}' { 2 } else { 1 };
    line.chars().map(one).sum()
}

#[test]
fn symbols_are_of_ascii_where_the_locale_is() {
    let text = list(&["--color=never"], |command| command.env("LANG", "C"));
    assert!(text.contains("+ done"), "{text}");
    assert!(text.contains("..."), "{text}");
    assert!(!text.contains(['✔', '…']), "{text}");
}

#[test]
fn help_has_the_colours_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| on_terminal(80, &at_home(folder.path(), arguments));
    assert!(has_colours(&help(&["--help"])));
    let plain = help(&["--help", "--color=never"]);
    assert!(!has_colours(&plain), "{plain}");
    for heading in [
        "Submit:", "Look:", "Change:", "Wait:", "Service:", "Options:",
    ] {
        assert!(plain.contains(heading), "{heading}: {plain}");
    }
}
