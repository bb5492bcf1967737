//! A daemon that shakes hands, notes the request and answers from a list.

use std::{
    io::{Read, Write},
    path::Path,
    sync::mpsc,
    thread,
};

use framepack_ipc::{
    codec::{Decoder, encode},
    control::{Greeting, MAX_REQUEST_BYTES, Request, Response},
};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Stream, prelude::*};
use tempfile::TempDir;

use crate::{Ended, framepackctl_in};

/// What a run of framepackctl asked for, and how it ended.
pub(crate) struct Talk {
    pub(crate) requests: Vec<Request>,
    pub(crate) ended: Ended,
    pub(crate) folder: TempDir,
}

/// Runs framepackctl against a daemon that answers the handshake properly, and the request behind it
/// with all of `answers`.
pub(crate) fn talk(arguments: &[&str], answers: Vec<Response>) -> Talk {
    talk_with(arguments, "", &[], answers)
}

/// The same with standard input, and with files in the folder.
pub(crate) fn talk_with(
    arguments: &[&str],
    stdin: &str,
    files: &[(&str, &str)],
    answers: Vec<Response>,
) -> Talk {
    let daemon = FakeDaemon::start(answers);
    for (name, text) in files {
        std::fs::write(daemon.folder.path().join(name), text).unwrap();
    }
    let ended = framepackctl_in(daemon.folder.path(), arguments, stdin);
    Talk {
        requests: daemon.notes.try_iter().collect(),
        ended,
        folder: daemon.folder,
    }
}

/// A daemon that listens at `socket` in its folder.
pub(crate) struct FakeDaemon {
    pub(crate) folder: TempDir,
    notes: mpsc::Receiver<Request>,
}

impl FakeDaemon {
    pub(crate) fn start(answers: Vec<Response>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let notes = listen(folder.path(), answers);
        Self { folder, notes }
    }
}

/// A daemon at `socket` in a folder, which ends with the test. Returns what it is asked.
pub(crate) fn listen(folder: &Path, answers: Vec<Response>) -> mpsc::Receiver<Request> {
    let listener = listener(&folder.join("socket"));
    let (note, notes) = mpsc::channel();
    thread::spawn(move || {
        // One command may connect twice: to submit, and to wait; or to list jobs, and to ask what they wait for.
        let mut answers = answers.into_iter();
        while let Ok(stream) = listener.accept() {
            serve(stream, &note, &mut answers, Exhausted::Wait);
        }
    });
    notes
}

/// Daemons one after the other at `socket` in a folder: each has its answers for one connection, and dies where they
/// break off. Behind the last one there is none.
pub(crate) fn listen_in_turn(folder: &Path, daemons: Vec<Vec<Response>>) {
    let socket = folder.join("socket");
    let listener = listener(&socket);
    thread::spawn(move || {
        let (note, _notes) = mpsc::channel();
        let count = daemons.len();
        for (n, answers) in daemons.into_iter().enumerate() {
            let stream = listener.accept().unwrap();
            if n + 1 == count {
                std::fs::remove_file(&socket).unwrap();
            }
            serve(stream, &note, &mut answers.into_iter(), Exhausted::HangUp);
        }
    });
}

fn listener(socket: &Path) -> interprocess::local_socket::Listener {
    let name = socket.to_fs_name::<GenericFilePath>().unwrap();
    ListenerOptions::new().name(name).create_sync().unwrap()
}

/// What becomes of a client that asks for more than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exhausted {
    /// It waits.
    Wait,
    /// It is hung up on.
    HangUp,
}

/// Serves one connection until the client hangs up.
fn serve(
    mut stream: Stream,
    note: &mpsc::Sender<Request>,
    answers: &mut impl Iterator<Item = Response>,
    exhausted: Exhausted,
) {
    let mut decoder = Decoder::new(MAX_REQUEST_BYTES);
    let mut chunk = [0; 4096];
    let mut is_greeted = false;
    loop {
        if !is_greeted && let Some(greeting) = decoder.message::<Greeting>().unwrap() {
            let hello = match greeting.answer("0.0.0-fake") {
                Ok(daemon) => Response::Hello(daemon),
                Err(error) => Response::Error(error.into()),
            };
            stream.write_all(&encode(&hello)).unwrap();
            is_greeted = true;
        }
        while is_greeted && let Some(request) = decoder.message::<Request>().unwrap() {
            note.send(request.clone()).unwrap();
            let has_one_answer = matches!(
                request,
                Request::Submit(_)
                    | Request::Change(_)
                    | Request::JobFile(_)
                    | Request::Edit(_)
                    | Request::Set(_)
                    | Request::Remove(_)
                    | Request::Queue
                    | Request::Preview(_)
            );
            let is_last = |answer: &Response| {
                let is_end = matches!(
                    answer,
                    Response::Jobs { .. } | Response::Error(_) | Response::End
                );
                has_one_answer || is_end
            };
            let mut is_answered = false;
            while !is_answered && let Some(answer) = answers.next() {
                stream.write_all(&encode(&answer)).unwrap();
                is_answered = is_last(&answer);
            }
            if exhausted == Exhausted::HangUp && !is_answered {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(read) => decoder.push(&chunk[..read]),
        }
    }
}
