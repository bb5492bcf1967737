//! What the daemon knows, asked for within a moment; nothing where it does not answer.

use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::Client,
    control::{ClientInfo, DEFAULT_SOCKET, ListRequest, Request, Response},
};
use framepack_jobs::{Job, StateName, settings::Setting};

/// A person waits for the answer with a finger on the key.
const LIMIT: Duration = Duration::from_millis(200);
/// Asked for first: few, and most often meant.
const FIRST: [StateName; 3] = [StateName::Queued, StateName::Running, StateName::Failed];
const THEN: [StateName; 3] = [StateName::Done, StateName::Cancelled, StateName::Expired];

/// The jobs, or as many as there was time for.
pub(super) fn jobs() -> Vec<Job> {
    within_limit(|client, tell| {
        for states in [FIRST, THEN] {
            let states = states.to_vec();
            let list = Request::List(ListRequest {
                states,
                ..ListRequest::default()
            });
            let Ok(jobs) = client.jobs(&list) else { return };
            for job in jobs {
                tell(job);
            }
        }
    })
}

/// The daemon's settings.
pub(super) fn settings() -> Vec<Setting> {
    within_limit(|client, tell| {
        if let Ok(Response::Config { settings }) = client.call(&Request::Config) {
            for setting in settings {
                tell(setting);
            }
        }
    })
}

/// The names of devices that have a worker.
pub(super) fn devices() -> Vec<String> {
    within_limit(|client, tell| {
        if let Ok(Response::Pong(status)) = client.call(&Request::Ping) {
            for worker in status.workers {
                tell(worker.device);
            }
        }
    })
}

/// What was told before the time was over. A thread that still waits then ends with the program.
fn within_limit<T: Send + 'static>(
    ask: impl FnOnce(&mut Client, &mut dyn FnMut(T)) + Send + 'static,
) -> Vec<T> {
    let deadline = Instant::now() + LIMIT;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let me = ClientInfo::new(env!("CARGO_PKG_VERSION"));
        if let Ok(mut client) = Client::connect_before(Some(deadline), &socket(), me) {
            // Whoever asked has gone on when it comes too late.
            ask(&mut client, &mut |told| drop(send.send(told)));
        }
    });
    let next = || {
        let left = deadline.saturating_duration_since(Instant::now());
        receive.recv_timeout(left).ok()
    };
    std::iter::from_fn(next).collect()
}

/// As the command line at the cursor names it, or the environment.
fn socket() -> PathBuf {
    let words: Vec<OsString> = env::args_os().collect();
    named(&words)
        .or_else(|| env::var_os("FRAMEPACKD_SOCKET"))
        .filter(|socket| !socket.is_empty())
        .map_or_else(|| DEFAULT_SOCKET.into(), PathBuf::from)
}

/// The value of `--socket` among the words.
fn named(words: &[OsString]) -> Option<OsString> {
    const OPTION: &str = "--socket";
    let at = words.iter().position(|word| word == OPTION);
    let behind = at.and_then(|at| words.get(at + 1)).cloned();
    behind.or_else(|| {
        let mut texts = words.iter().filter_map(|word| word.to_str());
        texts.find_map(|text| text.strip_prefix("--socket=").map(OsString::from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_the_one_on_the_command_line() {
        let named = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            super::named(&words)
        };
        assert_eq!(named(&["ctl", "--socket", "a", "show"]), Some("a".into()));
        assert_eq!(named(&["ctl", "show", "--socket=b"]), Some("b".into()));
        assert_eq!(named(&["ctl", "show", "--socket"]), None);
    }
}
