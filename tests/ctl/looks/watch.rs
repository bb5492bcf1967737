//! `list --watch`.

use framepack_ipc::control::Response;
use nix::sys::signal::{Signal, kill};

use crate::{
    fake_daemon::{FakeDaemon, talk},
    fixtures::{done, failed, job, running},
    terminal::{Size, Terminal, at_home},
};

const SIZE: Size = Size {
    columns: 80,
    lines: 6,
};

/// The terminal after that was written to it.
fn screen(written: &[u8]) -> vt100::Parser {
    let [lines, columns] = [SIZE.lines, SIZE.columns].map(|size| size.try_into().unwrap());
    let mut screen = vt100::Parser::new(lines, columns, 0);
    screen.process(written);
    screen
}

fn shown(written: &[u8]) -> String {
    screen(written).screen().contents()
}

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
    let mut terminal = Terminal::start(SIZE, &mut at_home(daemon.folder.path(), &arguments));
    terminal.read_until(|written| shown(written).contains("▶ running"));
    terminal.read_until(|written| shown(written).contains("✖ failed"));
    assert!(!shown(terminal.written()).contains("running"));
    // More than fits: heading, three jobs, how many more, and how to end it.
    terminal.read_until(|written| shown(written).contains("… and 5 more\nCtrl-C ends"));
    kill(terminal.process(), Signal::SIGINT).unwrap();
    let (code, text) = terminal.ended();
    assert_eq!(code, 130, "{text}");
    let screen = screen(text.as_bytes());
    assert!(!screen.screen().alternate_screen());
    assert!(!screen.screen().hide_cursor());
    assert_eq!(screen.screen().contents(), "");
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
