//! A server with the Hub's endpoints, and one in the place of the host that it sends downloads to. What they do wrong, a
//! test says.

use std::{
    collections::BTreeMap,
    io::{BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

pub(crate) use crate::request::{Request, Side};
use crate::{
    content::{Repository, SHARD, hub_hash, is_large, repositories, sha256},
    request::read,
};

/// What a server does instead of what it should.
pub(crate) enum Act {
    /// Another status, with headers.
    Status(u16, &'static str),
    /// Closes the connection before it answers.
    Close,
    /// Closes it after so many bytes of the body.
    Cut(usize),
    /// Waits there for a message; then closes it.
    Hang(usize, Receiver<()>),
    /// Other bytes.
    Spoilt,
    /// All bytes, whichever were asked for.
    NoRange,
    /// Another body.
    Body(Vec<u8>),
    /// More headers.
    Headers(&'static str),
    /// A byte now and then.
    Drip,
}

type Script = Box<dyn FnMut(&Request) -> Option<Act> + Send>;

/// Both servers.
pub(crate) struct Hub {
    addresses: [SocketAddr; 2],
    state: Arc<State>,
}

struct State {
    repositories: Mutex<BTreeMap<String, Repository>>,
    downloads: SocketAddr,
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
}

impl Hub {
    pub(crate) fn start() -> Self {
        Self::with(|_| None)
    }

    /// One that does what `script` says, where it says something.
    pub(crate) fn with(script: impl FnMut(&Request) -> Option<Act> + Send + 'static) -> Self {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = listeners.each_ref().map(|it| it.local_addr().unwrap());
        let state = Arc::new(State {
            repositories: Mutex::new(repositories()),
            downloads: addresses[1],
            script: Mutex::new(Box::new(script)),
            requests: Mutex::default(),
        });
        for (side, listener) in [Side::Hub, Side::Downloads].into_iter().zip(listeners) {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let (state, stream) = (Arc::clone(&state), stream.unwrap());
                    // A client that goes away in the middle is what is tested.
                    thread::spawn(move || state.serve(side, &stream));
                }
            });
        }
        Self { addresses, state }
    }

    /// One that as a proxy connects nobody.
    pub(crate) fn refusing_to_connect(status: u16) -> Self {
        Self::with(move |request| {
            let is_connect = request.path.starts_with("CONNECT ");
            is_connect.then_some(Act::Status(status, ""))
        })
    }

    /// One whose first answer for [`SHARD`] stops after so many bytes, until the sender sends something or is gone.
    pub(crate) fn hanging(at: usize) -> (Sender<()>, Self) {
        let (release, hang) = mpsc::channel();
        let mut hang = Some(hang);
        let hub = Self::with(move |request| {
            let is_shard = request.is_file(Side::Downloads, SHARD);
            let hang = is_shard.then(|| hang.take()).flatten()?;
            Some(Act::Hang(at, hang))
        });
        (release, hub)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.addresses[0])
    }

    /// Changes what it does wrong.
    pub(crate) fn script(&self, script: impl FnMut(&Request) -> Option<Act> + Send + 'static) {
        *self.state.script.lock().unwrap() = Box::new(script);
    }

    /// Changes what it has.
    pub(crate) fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Repository>)) {
        change(&mut self.state.repositories.lock().unwrap());
    }

    /// What it was asked for since this was called last.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }
}

impl State {
    fn serve(&self, side: Side, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut request = read(&mut reader, side)?;
        if request.path.starts_with("CONNECT ") {
            if let Some(Act::Status(status, _)) = (self.script.lock().unwrap())(&request) {
                self.requests.lock().unwrap().push(request);
                let head = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
                return stream.write_all(head.as_bytes()).ok();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            request = read(&mut reader, side)?;
        }
        self.requests.lock().unwrap().push(request.clone());
        let act = (self.script.lock().unwrap())(&request);
        match act {
            Some(Act::Close) => None,
            Some(Act::Status(status, headers)) => {
                let head = format!(
                    "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n"
                );
                stream.write_all(head.as_bytes()).ok()
            }
            act => self.answer(stream, &request, act),
        }
    }

    fn answer(&self, mut stream: &TcpStream, request: &Request, act: Option<Act>) -> Option<()> {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let answer = match parts[..] {
            ["api", "models", org, name, "revision", "main"] => self.info(&format!("{org}/{name}")),
            ["api", "models", org, name, "tree", _] => {
                self.tree(&format!("{org}/{name}"), &request.query)
            }
            ["downloads", ..] => self.download(request),
            [org, name, "resolve", commit, ..] => {
                let path = parts[4..].join("/");
                self.resolve(&format!("{org}/{name}"), commit, &path)
            }
            _ => None,
        };
        let Some((mut headers, mut body)) = answer else {
            let missing = b"HTTP/1.1 404 Not Found\r\nX-Error-Code: EntryNotFound\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return stream.write_all(missing).ok();
        };
        let mut status = if headers.contains("Location: ") {
            302
        } else {
            200
        };
        let wanted = request.header("range").and_then(|range| {
            let start = range.strip_prefix("bytes=")?.strip_suffix('-')?;
            start.parse::<usize>().ok()
        });
        let ignores = matches!(act, Some(Act::NoRange));
        if let Some(start) = wanted.filter(|_| status == 200 && !ignores) {
            let range = format!(
                "Content-Range: bytes {start}-{}/{}\r\n",
                body.len() - 1,
                body.len()
            );
            (status, headers) = (206, headers + &range);
            body.drain(..start);
        }
        let mut end = body.len();
        let mut held = None;
        let mut drips = false;
        match act {
            Some(Act::Cut(at)) => end = at.min(end),
            Some(Act::Hang(at, until)) => (end, held) = (at.min(end), Some(until)),
            Some(Act::Spoilt) => body.iter_mut().for_each(|byte| *byte ^= 1),
            Some(Act::Body(other)) => {
                if other.starts_with(b"<html") {
                    headers += "Content-Type: text/html\r\n";
                }
                (end, body) = (other.len(), other);
            }
            Some(Act::Headers(more)) => headers += more,
            Some(Act::Drip) => drips = true,
            _ => {}
        }
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} OK\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        if drips {
            for byte in &body[..end] {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(Duration::from_millis(30));
            }
        }
        stream.write_all(&body[..end]).ok()?;
        if let Some(until) = held {
            // The test has ended, or says so.
            let _ = until.recv();
        }
        Some(())
    }

    fn info(&self, name: &str) -> Option<(String, Vec<u8>)> {
        let repositories = self.repositories.lock().unwrap();
        let commit = &repositories.get(name)?.commit;
        let info = json!({"id": name, "sha": commit, "cardData": {"license": "other"}});
        Some((String::new(), serde_json::to_vec(&info).unwrap()))
    }

    /// In two pages.
    fn tree(&self, name: &str, query: &str) -> Option<(String, Vec<u8>)> {
        let repositories = self.repositories.lock().unwrap();
        let repository = repositories.get(name)?;
        let entries: Vec<Value> = repository
            .files
            .iter()
            .map(|it| entry(it.0, it.1))
            .collect();
        let (first, second) = entries.split_at(entries.len() / 2);
        let (page, headers) = if query.contains("cursor=2") {
            (second, String::new())
        } else {
            let commit = &repository.commit;
            let link = format!("/api/models/{name}/tree/{commit}?recursive=true&cursor=2");
            (first, format!("Link: <{link}>; rel=\"next\"\r\n"))
        };
        Some((headers, serde_json::to_vec(page).unwrap()))
    }

    fn resolve(&self, name: &str, commit: &str, path: &str) -> Option<(String, Vec<u8>)> {
        let repositories = self.repositories.lock().unwrap();
        let repository = repositories.get(name).filter(|it| it.commit == commit)?;
        let bytes = repository.files.get(path)?;
        let hash = hub_hash(path, bytes);
        if is_large(path) {
            let location = format!(
                "http://{}/downloads/{name}/{path}?signature=s",
                self.downloads
            );
            let headers = format!(
                "Location: {location}\r\nX-Linked-Etag: \"{hash}\"\r\nX-Linked-Size: {}\r\n",
                bytes.len()
            );
            return Some((headers, Vec::new()));
        }
        Some((format!("ETag: \"{hash}\"\r\n"), bytes.clone()))
    }

    fn download(&self, request: &Request) -> Option<(String, Vec<u8>)> {
        let path = request.path.strip_prefix("/downloads/")?;
        let (org, path) = path.split_once('/')?;
        let (name, path) = path.split_once('/')?;
        let repositories = self.repositories.lock().unwrap();
        let bytes = repositories
            .get(&format!("{org}/{name}"))?
            .files
            .get(path)?;
        // Not the Hub's hash: such hosts have their own.
        let etag = &sha256(bytes)[..32];
        Some((format!("ETag: \"{etag}\"\r\n"), bytes.clone()))
    }
}

fn entry(path: &str, bytes: &[u8]) -> Value {
    let hash = hub_hash(path, bytes);
    let size = bytes.len();
    let mut entry = json!({"type": "file", "path": path, "size": size, "oid": hash});
    if is_large(path) {
        entry["oid"] = json!("0".repeat(40));
        entry["lfs"] = json!({"oid": hash, "size": size, "pointerSize": 134});
    }
    entry
}
