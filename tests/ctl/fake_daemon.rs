//! A daemon that shakes hands, notes the request and answers from a list.

use std::{
    io::{Read, Write},
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
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let socket = folder.path().join("socket");
    let name = socket.as_path().to_fs_name::<GenericFilePath>().unwrap();
    let listener = ListenerOptions::new().name(name).create_sync().unwrap();
    let (note, notes) = mpsc::channel();
    thread::spawn(move || {
        // One command may connect twice: to submit, and to wait; or to list jobs, and to ask what they wait for.
        let mut answers = answers.into_iter();
        while let Ok(stream) = listener.accept() {
            serve(stream, &note, &mut answers);
        }
    });
    let ended = framepackctl_in(folder.path(), arguments, stdin);
    Talk {
        requests: notes.try_iter().collect(),
        ended,
        folder,
    }
}

/// Serves one connection until the client hangs up.
fn serve(
    mut stream: Stream,
    note: &mpsc::Sender<Request>,
    answers: &mut impl Iterator<Item = Response>,
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
            let is_last = |answer: &Response| match (&request, answer) {
                (Request::Submit(_) | Request::Preview(_), _) => true,
                (_, answer) => matches!(answer, Response::Jobs { .. }),
            };
            for answer in answers.by_ref() {
                stream.write_all(&encode(&answer)).unwrap();
                if is_last(&answer) {
                    break;
                }
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(read) => decoder.push(&chunk[..read]),
        }
    }
}
