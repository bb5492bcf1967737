//! Standard output and standard error that can't be written: what is done goes on, and the user hears of it where that
//! is possible.

use std::{
    fs::{File, OpenOptions},
    io,
};

use crate::{
    content::{ORIGINAL, VOCABULARY},
    hub::{Act, Hub, Side},
    world::{Ended, World},
};

/// A file that takes no byte, as on a full disk.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn fetch_needs_no_standard_error() {
    for is_closed in [true, false] {
        let mut is_first = true;
        let hub = Hub::with(move |request| {
            let refused = request.path.starts_with("/api/") && std::mem::take(&mut is_first);
            refused.then_some(Act::Status(503, ""))
        });
        let world = World::of(&hub);
        let mut command = world.command(&["fetch", "--retry-delay", "0"]);
        if is_closed {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            command.stderr(writer);
        } else {
            command.stderr(full());
        }
        Ended::from(command.output().unwrap()).ok();
        world.assert_fetched(ORIGINAL);
    }
}

#[test]
fn full_disk_below_standard_output_is_told_as_that() {
    let world = World::of(&Hub::start());
    world.fetch(&[]).ok();
    for arguments in [&["ls"][..], &["--json", "ls"], &["fetch"]] {
        let mut command = world.command(arguments);
        let ended: Ended = command.stdout(full()).output().unwrap().into();
        ended.failed(11, "FP9108", &["standard output", "make room where"]);
    }
}

#[test]
fn error_that_does_not_fit_in_json_is_told_as_text() {
    let hub = Hub::with(|request| {
        let is_file = request.is_file(Side::Hub, VOCABULARY);
        is_file.then_some(Act::Status(404, ""))
    });
    let world = World::of(&hub);
    let mut command = world.command(&["--json", "fetch"]);
    let ended: Ended = command.stdout(full()).output().unwrap().into();
    ended.failed(4, "FP9104", &[VOCABULARY]);
}

#[test]
fn wrong_command_line_is_json_where_that_is_asked_for() {
    let world = World::of(&Hub::start());
    for (arguments, says) in [
        (
            &["--json", "fetch", "--nope"][..],
            "unexpected argument '--nope' found",
        ),
        (&["import", "--json"], "<DIR>"),
        (&["--json"], "requires a subcommand"),
        (
            &["--json", "fetch", "--timeout", "0"],
            "no answer comes in 0 seconds",
        ),
    ] {
        let ended = world.run(arguments);
        assert_eq!((ended.code, &*ended.stderr), (Some(2), ""));
        let error = &ended.json()["error"];
        assert_eq!(error["code"], "FP1001");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(says) && !message.contains('\n'),
            "{message}"
        );
        assert!(!message.starts_with("error:"), "{message}");
    }
    let ended = world.run(&["fetch", "--nope"]);
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
    assert!(ended.stderr.contains("unexpected argument '--nope' found"));
}

#[test]
fn version_and_help_have_the_programs_name() {
    let world = World::of(&Hub::start());
    for arguments in [&["--version"][..], &["fetch", "--version"]] {
        let ended = world.run(arguments).ok();
        assert!(
            ended.stdout.starts_with("framepack-models"),
            "{}",
            ended.stdout
        );
    }
    assert!(
        world
            .run(&["--json", "--help"])
            .ok()
            .stdout
            .contains("Usage: framepack-models")
    );
}
