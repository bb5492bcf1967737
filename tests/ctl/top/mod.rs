//! `top` in a terminal, as somebody sees it who sits there.

mod farm;

use framepack_ipc::queue::{Boundary, Change, Scope};
use nix::sys::signal::Signal;
use tempfile::TempDir;

pub(crate) use self::farm::FakeFarm;
use crate::{
    framepackctl_in,
    terminal::{Size, Terminal, at_home},
};

const SMALL: Size = Size {
    columns: 80,
    lines: 24,
};
const LARGE: Size = Size {
    columns: 132,
    lines: 43,
};

/// A farm, and `top` on a terminal of this size that shows it.
fn shown(size: Size) -> (TempDir, FakeFarm, Terminal) {
    let folder = tempfile::tempdir().unwrap();
    let farm = FakeFarm::start(folder.path());
    let mut terminal = Terminal::start(size, &at_home(folder.path(), &["top"]));
    terminal.wait_for_text("q quit");
    assert!(terminal.is_taken());
    (folder, farm, terminal)
}

#[test]
fn the_farm_is_on_the_screen_until_a_key_ends_it() {
    for (quit, size) in [("q", SMALL), ("\u{3}", LARGE)] {
        let (_folder, _farm, mut terminal) = shown(size);
        for text in [
            "framepackd 0.1.0",
            "RTX 4090",
            "shot042/s7",
            "1.41 s/step",
            "held by a user",
        ] {
            terminal.wait_for_text(text);
        }
        terminal.press(quit);
        let left = terminal.ended();
        assert_eq!((left.code, left.screen.as_str()), (0, ""));
    }
}

#[test]
fn keys_control_the_selected_job() {
    let (_folder, farm, mut terminal) = shown(SMALL);
    let jobs = |job: &str| Scope::Jobs(vec![job.parse().unwrap()]);
    terminal.press("p");
    let change = farm.change();
    let at = Boundary::Section;
    assert_eq!(
        (change.scope, change.change),
        (jobs("317"), Change::Pause { at })
    );
    terminal.wait_for_text("job 317 is paused");
    // An arrow key is three bytes.
    terminal.press("\u{1b}[B+");
    let change = farm.change();
    assert_eq!(
        (change.scope, change.change),
        (jobs("318"), Change::Priority { priority: 1 })
    );
    terminal.press("c");
    terminal.wait_for_text("Cancel job 318 shot042/s8?");
    terminal.press("y");
    let change = farm.change();
    assert_eq!((change.scope, change.change), (jobs("318"), Change::Cancel));
    terminal.press("l");
    terminal.wait_for_text("INFO  started");
    terminal.press("?");
    terminal.wait_for_text("follow the selected job's log");
    terminal.press("q");
    assert_eq!(terminal.ended().code, 0);
}

#[test]
fn another_size_is_drawn_at_once() {
    let (_folder, _farm, mut terminal) = shown(SMALL);
    terminal.wait_for_text("1 failed in the last 24 h (f shows why): 314");
    terminal.press("f");
    terminal.wait_for_text("314 shot041/s2, ");
    terminal.press("\u{1b}");
    terminal.wait_for_text("Queue (2)");
    terminal.resize(LARGE);
    terminal.wait_for_text("Failed in the last 24 h");
    terminal.wait_for_text("NVIDIA GeForce RTX 4090");
    terminal.resize(Size {
        columns: 60,
        lines: 10,
    });
    terminal.wait_for("the footer is the last line", |screen| {
        screen.lines().count() == 10 && screen.lines().last().unwrap().starts_with("j/k select")
    });
    terminal.press("q");
    assert_eq!(terminal.ended().code, 0);
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let (_folder, _farm, terminal) = shown(SMALL);
        terminal.signal(signal);
        let left = terminal.ended();
        assert_eq!((left.code, left.screen.as_str()), (130, ""), "{signal}");
    }
}

#[test]
fn a_daemon_that_goes_away_is_told_and_found_again() {
    let (folder, farm, mut terminal) = shown(SMALL);
    farm.go_away();
    terminal.wait_for_text("no answer for");
    terminal.wait_for_text("shot042/s7");
    terminal.press("p");
    terminal.wait_for_text("framepackd does not answer");
    let farm = FakeFarm::start(folder.path());
    terminal.wait_for("it answers again", |screen| !screen.contains("no answer"));
    terminal.press("p");
    farm.change();
    terminal.press("q");
    assert_eq!(terminal.ended().code, 0);
}

#[test]
fn without_a_daemon_nothing_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(SMALL, &at_home(folder.path(), &["top"]));
    let left = terminal.ended();
    let told = left.screen;
    assert_eq!(left.code, 3);
    assert!(told.contains("error: cannot reach framepackd"), "{told}");
}

#[test]
fn off_a_terminal_it_is_a_mistake_that_names_what_to_use() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["top"][..], &["top", "--json"]] {
        let ended = framepackctl_in(folder.path(), arguments, "");
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, 2, "{told}");
        assert!(told.contains("framepackctl status"), "{told}");
        assert!(told.contains("framepackctl events -f"), "{told}");
    }
}
