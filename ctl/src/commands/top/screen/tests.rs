//! The screen in a terminal of its own, in a process that panics.

use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use nix::{
    pty::{Winsize, openpty},
    sys::termios::tcgetattr,
};

use super::*;

const SIZE: Winsize = Winsize {
    ws_row: 24,
    ws_col: 80,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

/// Runs one of the tests below in a terminal, and returns all that it wrote there.
fn in_a_terminal(test: &str) -> Vec<u8> {
    let ends = openpty(&SIZE, None).unwrap();
    let line = File::from(ends.slave);
    let before = tcgetattr(&line).unwrap();
    let end = || Stdio::from(line.try_clone().unwrap());
    let mut process = Command::new("setsid")
        .arg("--ctty")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(format!("commands::top::screen::tests::{test}"))
        .env("RUST_BACKTRACE", "0")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let mut terminal = File::from(ends.master);
    let (taken, mut written) = (
        thread::spawn(move || {
            let mut written = Vec::new();
            // The last end that is closed is an error here.
            let _ = terminal.read_to_end(&mut written);
            written
        }),
        Vec::new(),
    );
    process.wait().unwrap();
    assert_eq!(tcgetattr(&line).unwrap(), before, "modes of the terminal");
    drop(line);
    written.extend(taken.join().unwrap());
    written
}

#[test]
fn a_panic_leaves_the_terminal_as_it_was_and_is_read_there() {
    for test in ["panics", "panics_in_another_thread"] {
        let written = in_a_terminal(test);
        let mut screen = vt100::Parser::default();
        screen.process(&written);
        let screen = screen.screen();
        let text = String::from_utf8_lossy(&written);
        assert!(text.contains("\u{1b}[?1049h"), "it was never taken: {text}");
        assert!(!screen.alternate_screen(), "{text}");
        assert!(!screen.hide_cursor(), "{text}");
        assert!(
            screen.contents().contains("as planned"),
            "{}",
            screen.contents()
        );
    }
}

fn opened() -> (Screen, mpsc::Receiver<Event>, Events) {
    let (sender, inbox) = mpsc::channel();
    let events = Events::new(sender);
    (Screen::open(&events).unwrap(), inbox, events)
}

#[test]
#[ignore = "panics, in the terminal that the test above gives it"]
fn panics() {
    let _screen = opened();
    panic!("as planned");
}

#[test]
#[ignore = "panics, in the terminal that the test above gives it"]
fn panics_in_another_thread() {
    let (mut screen, inbox, events) = opened();
    events.spawn(|_| panic!("as planned"));
    assert!(matches!(inbox.recv(), Ok(Event::Panicked)));
    screen.is_restored();
}
