//! What the exit code says of a daemon that is not there, does not answer, hangs up, or speaks otherwise.

use std::{
    io::{Read, Write},
    path::Path,
    thread,
};

use framepack_ipc::{
    codec::{Decoder, encode},
    control::{Greeting, MAX_REQUEST_BYTES, Response},
};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Stream, prelude::*};

use crate::{Ended, fixtures::YAML, framepackctl_in};

/// One command of each kind that asks the daemon.
const COMMANDS: [&[&str]; 34] = [
    &["status"],
    &["status", "1"],
    &["list"],
    &["show", "1"],
    &["wait", "1"],
    &["wait", "--idle"],
    &["wait", "1", "--progress"],
    &["plan", "1"],
    &["queue"],
    &["hold", "1"],
    &["release", "1"],
    &["pause", "1"],
    &["resume", "--all"],
    &["priority", "1", "5"],
    &["retry", "1"],
    &["cancel", "1"],
    &["edit", "1"],
    &["set", "1", "steps=8"],
    &["rm", "1"],
    &["logs", "1"],
    &["events"],
    &["report"],
    &["drain"],
    &["warmup"],
    &["unload"],
    &["reload"],
    &["gpu", "enable", "cpu"],
    &["folder", "scan"],
    &["config", "show"],
    &["metrics"],
    &["doctor"],
    &["state", "check"],
    &["ping"],
    &["submit", "cat.yaml"],
];

/// Commands with `--timeout`, which a test does not wait for long.
const TIMED: [&[&str]; 5] = [
    &["wait", "1"],
    &["wait", "1", "--progress"],
    &["wait", "--idle"],
    &["drain"],
    &["submit", "cat.yaml", "--wait"],
];

/// What listens at the socket of a folder does with each connection.
fn listen(folder: &Path, with: impl Fn(Stream) + Send + 'static) {
    let socket = folder.join("socket");
    let name = socket.as_path().to_fs_name::<GenericFilePath>().unwrap();
    let listener = ListenerOptions::new().name(name).create_sync().unwrap();
    thread::spawn(move || {
        while let Ok(stream) = listener.accept() {
            with(stream);
        }
    });
}

#[track_caller]
fn assert_code(folder: &Path, arguments: &[&str], expected: i32) -> Ended {
    std::fs::write(folder.join("cat.yaml"), YAML).unwrap();
    let ended = framepackctl_in(folder, arguments, "");
    assert_eq!(ended.code, expected, "{arguments:?}: {ended:#?}");
    ended
}

#[test]
fn nobody_there_is_not_reachable() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in COMMANDS {
        assert_code(folder.path(), arguments, 3);
    }
    // With a time limit, too: nothing is waited for.
    for arguments in TIMED {
        let arguments = [arguments, &["--timeout", "9h"]].concat();
        assert_code(folder.path(), &arguments, 3);
    }
}

#[test]
fn somebody_who_hangs_up_is_not_reachable() {
    let folder = tempfile::tempdir().unwrap();
    listen(folder.path(), drop);
    for arguments in COMMANDS {
        assert_code(folder.path(), arguments, 3);
    }
}

#[test]
fn somebody_who_hangs_up_instead_of_an_answer_is_not_reachable() {
    let folder = tempfile::tempdir().unwrap();
    listen(folder.path(), |mut stream| {
        let mut decoder = Decoder::new(MAX_REQUEST_BYTES);
        let mut chunk = [0; 4096];
        let greeting: Greeting = loop {
            let read = stream.read(&mut chunk).unwrap();
            decoder.push(&chunk[..read]);
            if let Some(greeting) = decoder.message().unwrap() {
                break greeting;
            }
        };
        let hello = Response::Hello(greeting.answer("0.0.0-fake").unwrap());
        stream.write_all(&encode(&hello)).unwrap();
        // The request, which may have come with the greeting.
        let _ = stream.read(&mut chunk);
    });
    for arguments in COMMANDS {
        assert_code(folder.path(), arguments, 3);
    }
}

#[test]
fn somebody_who_speaks_otherwise_is_of_another_version() {
    let folder = tempfile::tempdir().unwrap();
    listen(folder.path(), |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        // Whoever has gone does not read it.
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\n");
    });
    for arguments in COMMANDS {
        assert_code(folder.path(), arguments, 12);
    }
}

#[test]
fn whoever_does_not_answer_before_the_timeout_is_waited_for_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let (keep, _kept) = std::sync::mpsc::channel();
    listen(folder.path(), move |stream| {
        // Its connections stay open while the test lasts.
        let _ = keep.send(stream);
    });
    for arguments in TIMED {
        let arguments = [arguments, &["--timeout", "0.2s"]].concat();
        let ended = assert_code(folder.path(), &arguments, 9);
        let expected = "error: --timeout elapsed: framepackd has not answered [FP1";
        assert!(ended.stderr.starts_with(expected), "{ended:#?}");
    }
}
