//! A daemon that answers as a farm does until it goes away, and notes what it is told to change.

use std::{
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use framepack_ipc::{
    ErrorBody,
    codec::{Decoder, encode},
    control::{Greeting, MAX_REQUEST_BYTES, Request, Response, Stream as Streamed},
    queue::ChangeRequest,
};
use framepack_jobs::Code;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Stream, prelude::*};

use crate::example;

/// How often a connection looks whether the daemon is to go away.
const PAUSE: Duration = Duration::from_millis(20);

/// A daemon whose socket is in a folder.
pub(crate) struct FakeFarm {
    socket: PathBuf,
    changes: Receiver<ChangeRequest>,
    is_gone: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl FakeFarm {
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("socket");
        let name = socket.as_path().to_fs_name::<GenericFilePath>().unwrap();
        let listener = ListenerOptions::new().name(name).create_sync().unwrap();
        let (note, changes) = mpsc::channel();
        let is_gone = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&is_gone);
        let accepting = thread::spawn(move || {
            let mut connections = Vec::new();
            while let Ok(stream) = listener.accept()
                && !gone.load(Ordering::Relaxed)
            {
                let (note, gone) = (note.clone(), Arc::clone(&gone));
                connections.push(thread::spawn(move || serve(stream, &note, &gone)));
            }
            drop(listener);
            for connection in connections {
                connection.join().unwrap();
            }
        });
        Self {
            socket,
            changes,
            is_gone,
            accepting,
        }
    }

    /// The next change that it is told.
    pub(crate) fn change(&self) -> ChangeRequest {
        self.changes.recv_timeout(Duration::from_mins(1)).unwrap()
    }

    /// Closes all connections and the socket.
    pub(crate) fn go_away(self) {
        self.is_gone.store(true, Ordering::Relaxed);
        let name = self
            .socket
            .as_path()
            .to_fs_name::<GenericFilePath>()
            .unwrap();
        // Has the listener look.
        drop(Stream::connect(name).unwrap());
        self.accepting.join().unwrap();
    }
}

/// Serves a connection until either side hangs up.
fn serve(mut stream: Stream, note: &Sender<ChangeRequest>, gone: &AtomicBool) {
    stream.set_recv_timeout(Some(PAUSE)).unwrap();
    let mut decoder = Decoder::new(MAX_REQUEST_BYTES);
    let mut is_greeted = false;
    let mut chunk = [0; 4096];
    while !gone.load(Ordering::Relaxed) {
        let read = match stream.read(&mut chunk) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => return,
        };
        decoder.push(&chunk[..read]);
        if !is_greeted && let Some(greeting) = decoder.message::<Greeting>().unwrap() {
            is_greeted = true;
            let daemon = greeting.answer("0.1.0").unwrap();
            stream.write_all(&encode(&Response::Hello(daemon))).unwrap();
        }
        while is_greeted && let Some(request) = decoder.message::<Request>().unwrap() {
            // Fails once the client has gone.
            if stream.write_all(&encode(&answer(request, note))).is_err() {
                return;
            }
        }
    }
}

fn answer(request: Request, note: &Sender<ChangeRequest>) -> Response {
    match request {
        Request::Farm => Response::Farm(Box::new(example::farm())),
        Request::Queue => Response::Queue(example::queue()),
        Request::Change(change) => {
            // Nobody may be interested.
            let _ = note.send(change);
            Response::Changed {
                jobs: Vec::new(),
                remark: None,
            }
        }
        // A log that goes on.
        Request::Stream(Streamed::Log(_)) => Response::Log {
            lines: vec![r#"{"at":"22:26","level":"info","message":"started"}"#.to_owned()],
        },
        _ => Response::Error(ErrorBody::new(Code::BAD_MESSAGE, "not in this test").into()),
    }
}
