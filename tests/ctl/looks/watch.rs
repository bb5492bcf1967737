//! `list --watch`.

use framepack_ipc::control::Response;
use nix::sys::signal::Signal;

use crate::{
    fake_daemon::{FakeDaemon, talk},
    fixtures::{done, failed, job, running},
    terminal::{Size, Terminal, at_home},
};

const SIZE: Size = Size {
    columns: 80,
    lines: 6,
};

#[test]
fn the_list_is_drawn_again_when_it_changes_and_the_terminal_left_as_it_was() {
    let jobs = |jobs| Response::Jobs { jobs };
    let many = |state: fn() -> _| (1..9).map(|id| job(id, state())).collect();
    let daemon = FakeDaemon::start(vec![
        jobs(vec![job(1, running())]),
        jobs(vec![job(1, failed())]),
        jobs(many(done)),
    ]);
    let arguments = ["list", "--watch", "--filter", "running,done,failed"];
    let mut terminal = Terminal::start(SIZE, &at_home(daemon.folder.path(), &arguments));
    terminal.wait_for_text("▶ running");
    terminal.wait_for_text("✖ failed");
    assert!(!terminal.text().contains("running"));
    // More than fits: heading, how many more, the three newest jobs, and how to end it.
    terminal.wait_for_text("… and 5 more\n 6  ✔ done");
    terminal.signal(Signal::SIGINT);
    let left = terminal.ended();
    assert_eq!((left.code, left.screen.as_str()), (130, ""));
}

#[test]
fn a_terminal_of_lines_only_is_not_drawn_on() {
    let daemon = FakeDaemon::start(Vec::new());
    let mut command = at_home(daemon.folder.path(), &["list", "--watch"]);
    let left = Terminal::start(SIZE, command.env("TERM", "dumb")).ended();
    assert_eq!(left.code, 2, "{}", left.written);
    assert!(!left.written.contains('\u{1b}'), "{}", left.written);
}

#[test]
fn programs_are_sent_to_the_events() {
    for arguments in [&["list", "--watch"][..], &["list", "--watch", "--json"]] {
        let ended = talk(arguments, Vec::new()).ended;
        assert_eq!(ended.code, 2, "{ended:?}");
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(told.contains("framepackctl events -f"), "{told}");
    }
}
