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
