//! One `framepack-worker serve` process and its pipes.
//!
//! It stays in the daemon's process group and exits by itself when its stdin ends, so it cannot outlive
//! the daemon, however that dies.

use std::{
    collections::VecDeque,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use framepack_config::Memory;
use framepack_ipc::worker::{FromWorker, ToWorker, WORKER_PROTOCOL, WorkerInfo};
use thiserror::Error;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};
use tracing::{debug, info};

/// Time for libtorch to load, the device to answer, and a predecessor's lock to be released.
const READY_TIMEOUT: Duration = Duration::from_mins(2);
/// Time between end-of-file on stdin and KILL. The worker promises to exit within one second.
const EXIT_GRACE: Duration = Duration::from_secs(3);
/// Lines of stderr that explain a death.
const LAST_WORDS: usize = 5;

/// How to start a worker.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) device: String,
    pub(crate) state_dir: PathBuf,
    pub(crate) memory: Memory,
}

impl Launch {
    /// Flags for the settings that are not `auto`.
    fn memory_flags(&self) -> impl Iterator<Item = String> {
        let flags = [
            ("--preserve-gb", self.memory.preserve),
            ("--host-budget-gb", self.memory.host_budget),
        ];
        flags
            .into_iter()
            .filter_map(|(flag, amount)| Some([flag.to_owned(), amount.gb()?.to_string()]))
            .flatten()
    }
}

/// Why there is no worker, or no worker any more.
#[derive(Debug, Error)]
pub(crate) enum WorkerError {
    #[error("starting {program}: {error}")]
    Spawn {
        program: PathBuf,
        error: std::io::Error,
    },
    #[error("no answer within {} s of its start", READY_TIMEOUT.as_secs())]
    NotReady,
    #[error(
        "the worker speaks protocol {found}, this daemon {WORKER_PROTOCOL}: install both from the same build"
    )]
    Protocol { found: u32 },
    #[error("not a message of a worker: {line:?}")]
    Gibberish { line: String },
    #[error("{status}{}", last_words(.stderr))]
    Died { status: String, stderr: Vec<String> },
}

fn last_words(stderr: &[String]) -> String {
    // Two, since the last one may be a hint.
    match stderr {
        [] => String::new(),
        [line] => format!("; its last words: {line}"),
        [.., line, last] => format!("; its last words: {line} / {last}"),
    }
}

/// A worker that has said that it is ready.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    messages: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<VecDeque<String>>,
}

impl WorkerProcess {
    /// Starts a worker and waits until it is ready.
    pub(crate) async fn start(launch: &Launch) -> Result<(Self, WorkerInfo), WorkerError> {
        let mut worker = Self::spawn(launch)?;
        match timeout(READY_TIMEOUT, worker.receive()).await {
            Err(_) => Err(WorkerError::NotReady),
            Ok(Err(error)) => Err(error),
            Ok(Ok(FromWorker::Ready(info))) if info.protocol == WORKER_PROTOCOL => {
                Ok((worker, info))
            }
            Ok(Ok(FromWorker::Ready(info))) => Err(WorkerError::Protocol {
                found: info.protocol,
            }),
            Ok(Ok(other)) => Err(WorkerError::Gibberish {
                line: format!("{other:?}"),
            }),
        }
    }

    fn spawn(launch: &Launch) -> Result<Self, WorkerError> {
        let mut child = Command::new(&launch.program)
            .args(["serve", "--device", &launch.device, "--state-dir"])
            .arg(&launch.state_dir)
            .args(launch.memory_flags())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| WorkerError::Spawn {
                program: launch.program.clone(),
                error,
            })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            unreachable!("all three were asked to be pipes");
        };
        Ok(Self {
            child,
            stdin: Some(stdin),
            messages: BufReader::new(stdout).lines(),
            stderr: tokio::spawn(forward_stderr(stderr, launch.device.clone())),
        })
    }

    /// Sends a message. That the worker is gone shows in [`Self::receive`], which also knows why.
    pub(crate) async fn send(&mut self, message: &ToWorker) {
        let Some(stdin) = &mut self.stdin else { return };
        let mut line =
            serde_json::to_vec(message).expect("a message is plain data with string keys");
        line.push(b'\n');
        if let Err(error) = stdin.write_all(&line).await {
            debug!(%error, "writing to the worker");
        }
    }

    /// The next message, or how the worker died. Safe to use in `select!`: no message is lost.
    pub(crate) async fn receive(&mut self) -> Result<FromWorker, WorkerError> {
        match self.messages.next_line().await {
            Ok(Some(line)) => {
                serde_json::from_str(&line).map_err(|_| WorkerError::Gibberish { line })
            }
            Ok(None) | Err(_) => Err(self.death().await),
        }
    }

    /// Ends the worker: end-of-file first, KILL when it does not listen.
    pub(crate) async fn close(&mut self) {
        self.stdin = None;
        if timeout(EXIT_GRACE, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends the worker at once.
    pub(crate) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            debug!(%error, "killing the worker");
        }
    }

    async fn death(&mut self) -> WorkerError {
        self.stdin = None;
        let status = match timeout(EXIT_GRACE, self.child.wait()).await {
            Ok(Ok(status)) => describe(status),
            Ok(Err(error)) => format!("the worker is gone ({error})"),
            Err(_) => {
                self.kill().await;
                "the worker closed its pipe without exiting and was killed".to_owned()
            }
        };
        let stderr = timeout(EXIT_GRACE, &mut self.stderr).await;
        WorkerError::Died {
            status,
            stderr: stderr.ok().and_then(Result::ok).unwrap_or_default().into(),
        }
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(9), _) => {
            "the worker was killed by signal 9 (KILL: by hand, or by the kernel for want of memory)"
                .into()
        }
        (Some(signal), _) => format!("the worker was killed by signal {signal}"),
        (None, code) => format!("the worker exited with status {}", code.unwrap_or_default()),
    }
}

/// Copies the worker's log into ours; returns its last lines once it has ended.
async fn forward_stderr(stderr: ChildStderr, device: String) -> VecDeque<String> {
    let mut lines = BufReader::new(stderr).split(b'\n');
    let mut tail = VecDeque::with_capacity(LAST_WORDS);
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        info!(target: "worker", %device, "{line}");
        if tail.len() == LAST_WORDS {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    tail
}
